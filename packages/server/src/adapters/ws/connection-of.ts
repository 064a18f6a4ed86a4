import { AcceptedSocket } from '../../connections/accepted-socket.js'
import type { Connection } from '../../connections/connection.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import { gateOf } from './gated-socket.js'

/**
 * The connection of a socket that `guard` has accepted, live or over: for libraries that hand on nothing but the socket.
 *
 * ```ts
 * useServer({ schema, context: ({ extra }) => ({ user: connectionOf(guard, extra.socket).identity }) }, webSocketServer)
 * ```
 *
 * @throws TypeError when it is no such socket
 */
export function connectionOf<I extends Identity>(guard: Guard<I>, socket: object): Connection<I> {
  const connection = acceptedBy(guard, socket)
  if (!connection) throw new TypeError('connectionOf: this guard has not accepted that socket')
  return connection
}

/** The same; `undefined` when it is no such socket. */
export function acceptedBy<I extends Identity>(guard: Guard<I>, socket: object): LiveConnection<I> | undefined {
  const accepted = gateOf(socket)?.sends
  return accepted instanceof AcceptedSocket ? accepted.connectionIn(guard.connections) : undefined
}
