import type { WebSocket, WebSocketServer } from 'ws'
import { liveConnections } from '../../connections/of-guard.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import { acceptedBy } from './connection-of.js'
import type { ConnectionHandler } from './hand-over.js'

/** A handler whose connections can be ended all together, where their server tracks them: those that come afterwards too. */
export function endable<I extends Identity>(
  guard: Guard<I>,
  { clients }: Pick<WebSocketServer, 'clients'>,
  handler: ConnectionHandler<I>,
) {
  let isOver = false
  const end = (socket: WebSocket) => {
    const connection = acceptedBy(guard, socket)
    if (connection) liveConnections(guard).end(connection, 'restart')
  }
  const take: ConnectionHandler<I> = (socket, connection, request) =>
    isOver ? end(socket) : handler(socket, connection, request)
  const endAll = () => {
    isOver = true
    for (const socket of clients ?? []) end(socket)
  }
  return { take, endAll }
}
