import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import type { Dialect } from '../../dialects/dialect.js'
import type { Verdict } from '../../verdict.js'
import { releaseSocket } from '../node/upgrades.js'
import { GatedSocket } from './gated-socket.js'

/** A handshake that is to be completed, and what the guard says of it. */
export interface Upgrade {
  readonly webSocketServer: WebSocketServer
  readonly dialect: Dialect
  readonly verdict: Verdict
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Answers the 101, with the subprotocol of the verdict or none. */
export function complete(upgrade: Upgrade, onOpen: (gated: GatedSocket) => void): void {
  const { webSocketServer, dialect, verdict, request, socket, head } = upgrade
  // ws would answer with the first subprotocol it sees, which may be a credential: it sees the selected one only.
  if (verdict.protocol !== undefined) request.headers['sec-websocket-protocol'] = verdict.protocol
  else if (request.headers['sec-websocket-protocol'] !== undefined) delete request.headers['sec-websocket-protocol']
  releaseSocket(socket)
  webSocketServer.handleUpgrade(request, socket, head, (webSocket) =>
    onOpen(new GatedSocket(webSocket, socket, dialect)),
  )
}

/** The same for a socket that stays between the doors: no broadcast to `clients` reaches it, and nothing is inflated for it. */
export function completePending(upgrade: Upgrade, onOpen: (gated: GatedSocket) => void): void {
  delete upgrade.request.headers['sec-websocket-extensions']
  complete(upgrade, (gated) => {
    upgrade.webSocketServer.clients?.delete(gated.webSocket)
    onOpen(gated)
  })
}
