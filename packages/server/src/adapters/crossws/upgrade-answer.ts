import { STATUS_CODES } from 'node:http'
import { refusalAnswer } from '../../refusals/http-answer.js'
import type { Clock } from '../../support/clock.js'
import type { Refuse, Verdict } from '../../verdict.js'
import { refuseSocket } from '../node/upgrades.js'
import { type HeadersInit, isOld, nodeRequestOf, type UpgradeRequest } from './peer.js'

/** Refuses an upgrade with a status: on the socket itself where that can be reached. */
export function refuseUpgrade(request: UpgradeRequest, clock: Clock, verdict: Refuse) {
  const node = nodeRequestOf(request)
  if (!node) return responseOf(verdict)
  refuseSocket(node.socket, clock, verdict)
  // crossws 0.3 would write whatever we answer.
  return isOld(request) ? new Promise<never>(() => {}) : { handled: true }
}

/** A whole response: crossws writes nothing by itself, not even how long it is. */
function responseOf({ code, reason }: Refuse): Response {
  const { status, headers, body } = refusalAnswer({ code, reason }, code === 'methodNotAllowed' ? { Allow: 'GET' } : {})
  const length = `${Buffer.byteLength(body)}`
  // Who sends Upgrade must name it here too (RFC 9110 section 7.8).
  const connection = 'Upgrade' in headers ? 'close, Upgrade' : 'close'
  return new Response(body, {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: { ...headers, 'Content-Length': length, Connection: connection },
  })
}

/**
 * The headers of a 101, with the subprotocol that was selected or none. What ws, or Bun, would select by itself is the
 * first that was offered, which may be a credential.
 */
export function headersOf(request: UpgradeRequest, { protocol, type }: Verdict, theirs?: HeadersInit): Headers {
  const headers = new Headers(theirs)
  headers.delete(name)
  const node = nodeRequestOf(request)
  if (node) {
    if (protocol === undefined) delete node.headers[name]
    else node.headers[name] = protocol
    // Nothing is inflated for who stays between the doors.
    if (type !== 'accept') delete node.headers['sec-websocket-extensions']
  }
  // The ws of crossws 0.3 selects what it sees.
  if (protocol !== undefined && !isOld(request)) headers.set(name, protocol)
  else if (protocol === undefined && 'Bun' in globalThis) headers.set(name, '')
  return headers
}

const name = 'sec-websocket-protocol'
