import { bearerPrefix, decodeBearer, readSubprotocols } from '@sallyport/protocol'
import { type Handshake, repeated, singleHeader } from '../handshake/request.js'
import { absent, found, malformed, type Reading } from './carrier.js'

/**
 * Reads the one `sallyport.bearer.<base64url>` in `Sec-WebSocket-Protocol`, which must stand beside a subprotocol of the
 * application: that one is selected, the credential never.
 */
export function subprotocolCarrier(handshake: Handshake): Reading {
  const value = singleHeader(handshake, 'sec-websocket-protocol')
  if (value === undefined) return absent
  const offered = value === repeated ? undefined : readSubprotocols(value)
  if (!offered) return malformed
  const bearers = offered.filter(isBearer)
  const [bearer] = bearers
  if (bearer === undefined) return absent
  if (bearers.length > 1 || offered.length === 1) return malformed
  const credential = decodeBearer(bearer)
  return credential === undefined ? malformed : found(credential)
}

/** The subprotocol to select: the first offered one that is in the allow-list. Never one that carries a credential. */
export function selectSubprotocol(handshake: Handshake, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0) return undefined
  const value = singleHeader(handshake, 'sec-websocket-protocol')
  if (value === undefined || value === repeated) return undefined
  return readSubprotocols(value)?.find((offered) => allowed.includes(offered) && !isBearer(offered))
}

const isBearer = (subprotocol: string): boolean => subprotocol.startsWith(bearerPrefix)
