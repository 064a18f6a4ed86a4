import type { Reason } from '../refusals/reasons.js'
import { type Handshake, listHeader, mayHideHeaders, readTarget, repeated, singleHeader, trimmed } from './request.js'
import { offeredSubprotocols } from './subprotocols.js'

// What a carrier reads is among them: a second one might be what somebody else reads.
const once = ['host', 'origin', 'authorization', 'sec-websocket-key']
// A name or an IPv4 address as URLs have them, or an IPv6 address; the port may be empty (RFC 3986 section 3.2).
const hostSyntax = /^(?:(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){1,255}|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/
// 16 bytes in base64 (RFC 6455 section 4.1).
const keySyntax = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** What is wrong with a request as a WebSocket handshake (RFC 6455 section 4.2.1); `undefined` when nothing is. */
export function checkUpgrade(handshake: Handshake): Reason | undefined {
  if (mayHideHeaders(handshake)) return 'handshake-headers'
  if (once.some((name) => singleHeader(handshake, name) === repeated)) return 'handshake-repeated'
  const { httpVersion = '1.1', method, target } = handshake
  if (httpVersion !== '1.1') return 'handshake-version'
  if (!readTarget(target)) return 'handshake-target'
  if (!hostSyntax.test(textOf(handshake, 'host'))) return 'handshake-host'
  // A body behind a handshake would be read as frames. Two lengths are not zero either.
  const length = singleHeader(handshake, 'content-length')
  const isEmpty = length === undefined || (length !== repeated && /^0+$/.test(length))
  if (!isEmpty || singleHeader(handshake, 'transfer-encoding') !== undefined) return 'handshake-body'
  if (method !== 'GET') return 'method-not-allowed'
  if (!asksForWebSocket(handshake)) return 'not-a-websocket'
  if (singleHeader(handshake, 'sec-websocket-version') !== '13') return 'not-a-websocket'
  if (!keySyntax.test(textOf(handshake, 'sec-websocket-key'))) return 'handshake-key'
  if (!offeredSubprotocols(handshake)) return 'handshake-protocols'
  // Fetch metadata, where a browser sends it: only a WebSocket constructor may open a WebSocket.
  const mode = singleHeader(handshake, 'sec-fetch-mode')
  return mode === undefined || mode === 'websocket' ? undefined : 'fetch-metadata'
}

/** Whether a request asks for a WebSocket, of whatever version. */
export function asksForWebSocket(handshake: Handshake): boolean {
  if (trimmed(textOf(handshake, 'upgrade')).toLowerCase() !== 'websocket') return false
  return listHeader(handshake, 'connection').includes('upgrade')
}

/** A header that must be there, once; empty when it is not. */
function textOf(handshake: Handshake, name: string): string {
  const value = singleHeader(handshake, name)
  return typeof value === 'string' ? value : ''
}
