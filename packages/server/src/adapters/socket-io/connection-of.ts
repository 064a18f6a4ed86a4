import type { Connection } from '../../connections/connection.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import { Client, clientOf } from './client.js'

/**
 * The connection of a `Socket` of `socket.io` whose client `guard` has accepted, live or over: the same for all namespaces of the client.
 *
 * ```ts
 * io.on('connection', (socket) => socket.emit('hello', connectionOf(guard, socket).identity.id))
 * ```
 *
 * @throws TypeError when it is no such socket
 */
export function connectionOf<I extends Identity>(guard: Guard<I>, socket: { readonly conn: object }): Connection<I> {
  const client = clientOf(socket.conn)
  const connection = client instanceof Client ? client.connectionIn(guard.connections) : undefined
  if (!connection) throw new TypeError('connectionOf: this guard has not accepted that socket')
  return connection
}
