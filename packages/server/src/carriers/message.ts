import type { Handshake } from '../handshake/request.js'
import { absent, presented, type Reading } from './carrier.js'

/** Reads the credential that a dialect has found in the first message. */
export function messageCarrier({ message }: Handshake): Reading {
  return message === undefined ? absent : presented(message)
}
