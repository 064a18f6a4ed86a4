import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import type { Dialect } from '../../dialects/dialect.js'
import { releaseSocket } from '../node/upgrades.js'
import { GatedSocket } from './gated-socket.js'

/** A handshake that is to be completed. */
export interface Upgrade {
  readonly webSocketServer: WebSocketServer
  readonly dialect: Dialect
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Says what becomes of a handshake: the subprotocol that a verdict selects, or none. */
interface Selection {
  readonly protocol?: string | undefined
}

/**
 * Answers the 101, with the subprotocol of the verdict or none. `false`: the socket is not open yet, and may never be.
 */
export function complete(upgrade: Upgrade, { protocol }: Selection, onOpen: (gated: GatedSocket) => void): boolean {
  const { webSocketServer, dialect, request, socket, head } = upgrade
  const { headers } = request
  // ws would answer with the first subprotocol it sees, which may be a credential: it sees the selected one only.
  if (protocol !== undefined) headers['sec-websocket-protocol'] = protocol
  else if (headers['sec-websocket-protocol'] !== undefined) delete headers['sec-websocket-protocol']
  releaseSocket(socket)
  let isOpen = false
  webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
    isOpen = true
    onOpen(new GatedSocket(webSocket, socket, dialect))
  })
  return isOpen
}

/** The same for a socket that stays between the doors: no broadcast to `clients` reaches it, and nothing is inflated for it. */
export function completePending(upgrade: Upgrade, selection: Selection, onOpen: (gated: GatedSocket) => void): boolean {
  delete upgrade.request.headers['sec-websocket-extensions']
  return complete(upgrade, selection, (gated) => {
    upgrade.webSocketServer.clients?.delete(gated.webSocket)
    onOpen(gated)
  })
}
