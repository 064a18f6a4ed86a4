import { type Handshake, repeated, singleHeader } from '../handshake/request.js'
import { absent, found, malformed, type Reading } from './carrier.js'

const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** Reads `Authorization: Bearer …` (RFC 6750 section 2.1). Another scheme is malformed: it is there, and is not ours. */
export function headerCarrier(handshake: Handshake): Reading {
  const value = singleHeader(handshake, 'authorization')
  if (value === undefined) return absent
  const credential = value === repeated ? undefined : bearer.exec(value)?.[1]
  return credential === undefined ? malformed : found(credential)
}
