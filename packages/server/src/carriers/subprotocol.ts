import { bearerPrefix, decodeBearer } from '@sallyport/protocol'
import type { Handshake } from '../handshake/request.js'
import { offeredSubprotocols } from '../handshake/subprotocols.js'
import { absent, malformed, presented, type Reading } from './carrier.js'

/**
 * Reads the one `sallyport.bearer.<base64url>` in `Sec-WebSocket-Protocol`, which must stand beside a subprotocol of the
 * application: that one is selected, the credential never.
 */
export function subprotocolCarrier(handshake: Handshake): Reading {
  const offered = offeredSubprotocols(handshake)
  if (!offered) return malformed
  const bearers = offered.filter(isBearer)
  const [bearer] = bearers
  if (bearer === undefined) return absent
  if (bearers.length > 1 || offered.length === 1) return malformed
  return presented(decodeBearer(bearer))
}

/** The subprotocol to select: the first offered one that is in the allow-list. Never one that carries a credential. */
export function selectSubprotocol(handshake: Handshake, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0) return undefined
  return offeredSubprotocols(handshake)?.find((offered) => allowed.includes(offered) && !isBearer(offered))
}

const isBearer = (subprotocol: string): boolean => subprotocol.startsWith(bearerPrefix)
