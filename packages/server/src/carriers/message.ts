import { readAuthFrame } from '@sallyport/protocol'
import type { Handshake } from '../handshake/request.js'
import { absent, malformed, presented, type Reading } from './carrier.js'

/** Reads the credential of the first message, `{"type":"auth","token":"…"}`. */
export function messageCarrier(handshake: Handshake): Reading {
  const frame = handshake.message === undefined ? undefined : readAuthFrame(handshake.message)
  if (frame === undefined) return absent
  return frame === 'malformed' ? malformed : presented(frame.token)
}
