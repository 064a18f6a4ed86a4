import type { TokenSource } from '../credentials/credential.js'
import type { Renewal } from '../live.js'
import { inBand } from './in-band.js'
import { overHttp, type RenewalOptions } from './over-http.js'

/**
 * Renews the credential of a live connection ahead of its end, so that it need not reconnect: the option `renew`.
 *
 * ```ts
 * { credential: firstMessage(getToken), renew: renewal(getToken) }
 * { credential: ticket('/ws/ticket', { token: getToken }), renew: renewal('/ws/renew', { token: getToken }) }
 * ```
 *
 * - `renewal(getToken)` sends another `auth` frame, on connections that were authenticated by first message.
 * - `renewal('/ws/renew')` posts to the renew endpoint, for all other methods: with a token, or with the browser's cookies.
 *   It answers 200 `{"expiresIn":…}`, and renews every connection of the login that the credential belongs to. A relative
 *   URL is resolved against the socket's own, as `https:`. Redirects are refused.
 *
 * The token is asked for with the reason `renewal`, at a random moment after three quarters of the time that is left, or
 * when the server says that the end is near. Only what the server says counts, from the moment it was heard; the device's
 * clock is never compared with the server's. A renewal that fails is tried again as the table of codes says, and breaks
 * nothing: the credential stays good until it ends, and then the socket reconnects with a fresh one. 403 stops the socket.
 * The answer to a renewal of a connection that is no more is discarded.
 */
export function renewal(source: TokenSource): Renewal
export function renewal(source: string | URL, options?: RenewalOptions): Renewal
export function renewal(source: TokenSource | string | URL, options: RenewalOptions = {}): Renewal {
  return typeof source === 'function' ? inBand(source) : overHttp(source, options)
}
