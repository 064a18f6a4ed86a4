import type { IncomingMessage } from 'node:http'
import type { WebSocket, WebSocketServer } from 'ws'
import { AcceptedSocket, type AcceptedSocketOptions } from '../../connections/accepted-socket.js'
import type { Connection } from '../../connections/connection.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { PathParams } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import type { GatedSocket, Message } from './gated-socket.js'

/**
 * Takes an accepted socket, and the request of its handshake as Node.js made it. When it answers a promise, the messages
 * of the socket wait until it listens for them or the promise settles, so that none is lost while its client stays. Any
 * other answer means nothing.
 */
export type ConnectionHandler<I extends Identity, P extends PathParams = PathParams> = (
  socket: WebSocket,
  connection: Connection<I, P>,
  request: IncomingMessage,
) => unknown

/** Hands sockets to who listens to a `WebSocketServer`, as ws does. */
export function emitConnections<I extends Identity>(webSocketServer: WebSocketServer): ConnectionHandler<I> {
  return (socket, _, request) => webSocketServer.emit('connection', socket, request)
}

/** What is handed over. */
export interface Accepted<I extends Identity> {
  readonly gated: GatedSocket
  readonly connection: LiveConnection<I>
  readonly request: IncomingMessage
  /** The messages to deliver first. */
  readonly kept: Message[]
}

export const givesUp = Symbol('givesUp')

/** Answered by a handler of ours instead of a promise: a socket that nobody may listen to yet. */
export interface Unheard {
  /** Settles when its messages are not to wait any longer. Asked when one has come. */
  [givesUp](): Promise<void>
}

/** Opens the inner door, and gives the socket to the application. */
export function handOver<I extends Identity>(
  { gated, connection, request, kept }: Accepted<I>,
  options: AcceptedSocketOptions<I, Message>,
  onConnection: ConnectionHandler<I>,
): void {
  const { webSocket } = gated
  const accepted = new AcceptedSocket<I, Message>(options, gated, connection)
  try {
    const done = onConnection(webSocket, connection, request)
    if (done instanceof Promise) done.catch((error: unknown) => accepted.fail(error))
    const settles = settlingOf(done)
    if (settles && !isHeard(webSocket)) letInOnceHeard(gated, accepted, kept, settles)
    else accepted.letIn(kept)
  } catch (error) {
    accepted.fail(error)
  }
}

/** How long the messages of a socket may have to wait, by what its handler has answered; `undefined`: not at all. */
function settlingOf(done: unknown): (() => Promise<unknown>) | undefined {
  if (done instanceof Promise) return () => done
  if (typeof done === 'object' && done !== null && givesUp in done) return () => (done as Unheard)[givesUp]()
  return undefined
}

/** Whether somebody listens for the messages of a socket. */
export const isHeard = (webSocket: WebSocket): boolean => webSocket.listenerCount('message') > 0

/** Lets messages in once somebody listens for them, or `settles` says so. Most come later than that: for them nothing is watched. */
function letInOnceHeard<I extends Identity>(
  gated: GatedSocket,
  accepted: AcceptedSocket<I, Message>,
  kept: Message[],
  settles: () => Promise<unknown>,
): void {
  const { webSocket } = gated
  const hold = (messages: Message[]) => whenListening(webSocket, settles(), accepted.hold(messages))
  if (kept.length > 0) {
    hold(kept)
    return
  }
  gated.resume()
  gated.onMessage({
    receive: (message) => (isHeard(webSocket) ? accepted.letIn([message]) : hold([message])),
  })
}

/** Calls back once somebody listens for the messages of a socket, or `done` settles. */
function whenListening(webSocket: WebSocket, done: Promise<unknown>, callback: () => void): void {
  let waiting = true
  const proceed = () => {
    if (!waiting) return
    waiting = false
    webSocket.off('newListener', onListener)
    callback()
  }
  // The event comes before the listener is there.
  const onListener = (event: string | symbol) => {
    if (event === 'message') process.nextTick(proceed)
  }
  webSocket.on('newListener', onListener)
  done.then(proceed, proceed)
}
