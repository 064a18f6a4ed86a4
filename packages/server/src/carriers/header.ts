import { type Handshake, repeated, singleHeader } from '../handshake/request.js'
import { absent, malformed, presented, type Reading } from './carrier.js'

const bearer = /^Bearer +(.+)$/is

/** Reads `Authorization: Bearer …` (RFC 6750 section 2.1). Another scheme is malformed: it is there, and is not ours. */
export function headerCarrier(handshake: Handshake): Reading {
  const value = singleHeader(handshake, 'authorization')
  if (value === undefined) return absent
  return value === repeated ? malformed : presented(bearer.exec(value)?.[1])
}
