import type { Clock } from '../../support/clock.js'
import type { Refuse, Verdict } from '../../verdict.js'
import { refusalResponse } from '../fetch/refusal.js'
import { refuseSocket } from '../node/upgrades.js'
import { isOld, nodeRequestOf, type UpgradeAnswer, type UpgradeRequest } from './peer.js'

/** Refuses an upgrade with a status: on the socket itself where that can be reached. */
export function refuseUpgrade(request: UpgradeRequest, clock: Clock, verdict: Refuse) {
  const node = nodeRequestOf(request)
  if (!node) return refusalResponse(verdict)
  refuseSocket(node.socket, clock, verdict)
  // crossws 0.3 would write whatever we answer.
  return isOld(request) ? new Promise<never>(() => {}) : { handled: true }
}

/**
 * The headers of a 101, with the subprotocol that was selected or none. What ws, or Bun, would select by itself is the
 * first that was offered, which may be a credential.
 */
export function headersOf(
  request: UpgradeRequest,
  { protocol, type }: Verdict,
  theirs?: UpgradeAnswer['headers'],
): Headers {
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
