import type { Connection } from '../../connections/connection.js'
import type { PathParams } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import type { EventSocket } from './event-gate.js'

/** The `WebSocket` of the runtime, as its types declare it. */
export type RuntimeSocket = typeof globalThis extends { WebSocket: { prototype: infer S } } ? S : EventSocket

/**
 * Takes an accepted socket, which is open, and the request of its handshake. While it answers a promise that has not settled,
 * the messages of the socket wait. Binary messages are an `ArrayBuffer`.
 */
export type SocketHandler<I extends Identity, P extends PathParams = PathParams> = (
  socket: RuntimeSocket,
  connection: Connection<I, P>,
  request: Request,
) => unknown
