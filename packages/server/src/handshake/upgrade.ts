import type { Reason } from '../refusals/reasons.js'
import { type Handshake, listHeader, mayHideHeaders, readTarget, repeated, singleHeader, trimmed } from './request.js'

// What a carrier reads is among them: a second one might be what somebody else reads.
const once = ['origin', 'authorization', 'sec-websocket-protocol']
const hostSyntax = /^(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/
// 16 bytes in base64 (RFC 6455 section 4.1).
const keySyntax = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** What is wrong with a request as a WebSocket handshake (RFC 6455 section 4.2.1); `undefined` when nothing is. */
export function checkUpgrade(handshake: Handshake): Reason | undefined {
  if (mayHideHeaders(handshake)) return 'handshake-malformed'
  const host = singleHeader(handshake, 'host')
  const key = singleHeader(handshake, 'sec-websocket-key')
  if (host === repeated || key === repeated) return 'handshake-malformed'
  if (once.some((name) => singleHeader(handshake, name) === repeated)) return 'handshake-malformed'
  const { httpVersion = '1.1', method, target } = handshake
  if (httpVersion !== '1.1' || !readTarget(target)) return 'handshake-malformed'
  if (!hostSyntax.test(host ?? '')) return 'handshake-malformed'
  // A body behind a handshake would be read as frames. Two lengths are not '0' either.
  const length = singleHeader(handshake, 'content-length')
  if ((length !== undefined && length !== '0') || singleHeader(handshake, 'transfer-encoding') !== undefined) {
    return 'handshake-malformed'
  }
  if (method !== 'GET') return 'method-not-allowed'
  const upgrade = singleHeader(handshake, 'upgrade')
  if (typeof upgrade !== 'string' || trimmed(upgrade).toLowerCase() !== 'websocket') return 'not-a-websocket'
  if (!listHeader(handshake, 'connection').includes('upgrade')) return 'not-a-websocket'
  if (singleHeader(handshake, 'sec-websocket-version') !== '13') return 'not-a-websocket'
  if (!keySyntax.test(key ?? '')) return 'handshake-malformed'
  // Fetch metadata, where a browser sends it: only a WebSocket constructor may open a WebSocket.
  const mode = singleHeader(handshake, 'sec-fetch-mode')
  return mode === undefined || mode === 'websocket' ? undefined : 'fetch-metadata'
}
