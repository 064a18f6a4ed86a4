import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { Connection } from '../connection.js'
import type { Transport } from '../connections/transport.js'
import { ConfigurationError } from '../errors.js'
import type { Guard } from '../guard.js'
import type { Identity } from '../identity.js'
import { refusalAnswer, toHttp1 } from '../refusal.js'
import { fromNode, readTarget } from '../request.js'
import { type Refuse, refuse, type Verdict } from '../verdict.js'

/** Options of {@link guardServer}. */
export interface GuardServerOptions {
  /** The path that the guard owns, such as `/ws`, compared exactly. Other paths are left to other listeners. */
  readonly path: string
  /**
   * A `WebSocketServer` of yours, made with `noServer: true`. Its options hold for accepted connections, and its
   * `clients` are those that were accepted. Default: one without compression, whose messages are 1 MiB at most.
   */
  readonly webSocketServer?: WebSocketServer
}

/**
 * Takes an accepted socket. When it is asynchronous, the messages of the socket wait until it listens for them or is
 * done, so that none is lost.
 */
export type ConnectionHandler<I extends Identity> = (
  socket: WebSocket,
  connection: Connection<I>,
) => void | Promise<void>

/**
 * Guards the WebSocket route at `path` of a Node.js server: only accepted sockets reach `onConnection`. When it throws,
 * the connection is closed with 1011.
 *
 * An upgrade to a path that no guard owns is left to the server's other listeners, and refused when there are none.
 *
 * @returns a function that takes the route off the server; live connections stay.
 * @throws ConfigurationError when the path is already guarded, or the `WebSocketServer` has a server of its own.
 */
export function guardServer<I extends Identity>(
  server: Server,
  guard: Guard<I>,
  options: GuardServerOptions,
  onConnection: ConnectionHandler<I>,
): () => void {
  const { path, webSocketServer: accepted = defaultWebSocketServer() } = options
  if (readTarget(path)?.path !== path) {
    throw new ConfigurationError(`guardServer: ${JSON.stringify(path)} is no path; write one such as "/ws"`)
  }
  if (!accepted.options.noServer) {
    throw new ConfigurationError('guardServer: make your WebSocketServer with { noServer: true }; the guard upgrades')
  }
  // Sockets between the doors are in no `clients` that a broadcast could reach, and nothing is inflated for them.
  const pending = new WebSocketServer({ ...accepted.options, clientTracking: false, perMessageDeflate: false })

  async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const handshake = fromNode(request)
    const verdict = await guard.decide(handshake)
    if (verdict.type === 'accept') {
      upgrade(accepted, verdict, request, socket, head, (webSocket) => {
        const connection = guard.connections.open(verdict, handshake, new WsTransport(webSocket))
        if (connection) handOver(webSocket, connection, [])
      })
    } else if (verdict.type === 'await') {
      upgrade(pending, verdict, request, socket, head, (webSocket) => {
        const transport = new WsTransport(webSocket)
        const receiveMessage = (data: RawData, isBinary: boolean) =>
          firstMessage.receive(isBinary ? undefined : data.toString(), [data, isBinary])
        const countBytes = (chunk: Buffer) => firstMessage.count(chunk.length)
        const firstMessage = guard.connections.wait<Message>(verdict, {
          handshake,
          transport,
          onOpen(connection, kept) {
            socket.off('data', countBytes)
            webSocket.off('message', receiveMessage)
            track(accepted, webSocket)
            interceptFrames(webSocket, connection)
            handOver(webSocket, connection, kept)
          },
        })
        webSocket.on('message', receiveMessage)
        // Behind the listener of ws, so that a credential in this very chunk has been seen.
        socket.on('data', countBytes)
      })
    } else if (verdict.by === 'close') {
      upgrade(pending, verdict, request, socket, head, (webSocket) =>
        guard.connections.turnAway(verdict, new WsTransport(webSocket)),
      )
    } else {
      refuseSocket(guard, socket, verdict)
    }
  }

  function handOver(socket: WebSocket, connection: Connection<I>, kept: Message[]): void {
    const deliver = () => {
      for (const message of kept.splice(0)) socket.emit('message', ...message)
      socket.resume()
    }
    const fail = (error: unknown) => guard.connections.fail(connection, error)
    try {
      const done = onConnection(socket, connection)
      done?.catch(fail)
      if (done && socket.listenerCount('message') === 0) whenListening(socket, done, deliver)
      else if (kept.length > 0 || socket.isPaused) deliver()
    } catch (error) {
      fail(error)
    }
  }

  /** Keeps the `auth` frames that renew a connection from the application. */
  function interceptFrames(socket: WebSocket, connection: Connection<I>): void {
    socket.emit = function emit(this: WebSocket, event: string | symbol, ...args: unknown[]): boolean {
      const [data, isBinary] = args
      if (event === 'message' && !isBinary && Buffer.isBuffer(data) && data.includes('"auth"')) {
        if (guard.connections.receive(connection, data.toString())) return true
      }
      return EventEmitter.prototype.emit.call(this, event, ...args)
    }
  }

  return claimPath(server, guard, path, onUpgrade)
}

/** A message as ws emits it. */
type Message = [data: RawData, isBinary: boolean]

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>

const ignore = () => {}
const mebibyte = 1_048_576

const defaultWebSocketServer = () =>
  new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: mebibyte })

/** The guarded paths of each server: one upgrade listener serves them all. */
const guardedPaths = new WeakMap<Server, Map<string, UpgradeListener>>()

function claimPath<I extends Identity>(
  server: Server,
  guard: Guard<I>,
  path: string,
  onUpgrade: UpgradeListener,
): () => void {
  const paths = guardedPaths.get(server) ?? new Map<string, UpgradeListener>()
  if (paths.has(path)) throw new ConfigurationError(`guardServer: ${path} is already guarded`)
  if (paths.size === 0) {
    guardedPaths.set(server, paths)
    server.on('upgrade', dispatch)
  }
  paths.set(path, onUpgrade)

  function dispatch(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = request.url ?? ''
    const owner = paths.get(target.split('?', 1)[0] ?? '')
    if (!owner && server.listenerCount('upgrade') > 1) return
    // A peer may reset the connection at any time from now on.
    socket.on('error', ignore)
    if (owner) owner(request, socket, head).catch(() => socket.destroy())
    else refuseSocket(guard, socket, refuse(readTarget(target) ? 'path-unknown' : 'handshake-malformed'))
  }

  return () => {
    paths.delete(path)
    if (paths.size > 0) return
    server.off('upgrade', dispatch)
    guardedPaths.delete(server)
  }
}

/** Answers the 101, with the subprotocol of the verdict or none. */
function upgrade(
  server: WebSocketServer,
  { protocol }: Verdict,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  onOpen: (webSocket: WebSocket) => void,
): void {
  // ws would answer with the first subprotocol it sees, which may be a credential: it sees the selected one only.
  if (protocol === undefined) delete request.headers['sec-websocket-protocol']
  else request.headers['sec-websocket-protocol'] = protocol
  server.handleUpgrade(request, socket, head, (webSocket) => {
    // A frame that breaks the protocol is an error event, which ends the process when nobody listens.
    webSocket.on('error', ignore)
    onOpen(webSocket)
  })
}

/** Writes the refusal and ends the connection, waiting a second at most for the peer to take it. */
function refuseSocket<I extends Identity>(guard: Guard<I>, socket: Duplex, { code }: Refuse): void {
  const headers = code === 'methodNotAllowed' ? { Allow: 'GET' } : {}
  // What the peer still sends is read and dropped: unread, it would turn our FIN into a reset that loses the response.
  socket.resume()
  socket.end(toHttp1(refusalAnswer(code, headers)))
  const cancel = guard.clock.after(1_000, () => socket.destroy())
  socket.once('close', cancel)
}

function track(server: WebSocketServer, socket: WebSocket): void {
  server.clients?.add(socket)
  socket.once('close', () => server.clients?.delete(socket))
}

/** Holds back the messages of a socket until somebody listens for them, or `done` settles. */
function whenListening(socket: WebSocket, done: Promise<void>, deliver: () => void): void {
  socket.pause()
  let waiting = true
  const proceed = () => {
    if (!waiting) return
    waiting = false
    socket.off('newListener', onListener)
    deliver()
  }
  // The event comes before the listener is there.
  const onListener = (event: string | symbol) => {
    if (event === 'message') process.nextTick(proceed)
  }
  socket.on('newListener', onListener)
  done.then(proceed, proceed)
}

class WsTransport implements Transport {
  readonly #socket: WebSocket

  constructor(socket: WebSocket) {
    this.#socket = socket
  }
  send(text: string): void {
    this.#socket.send(text, ignore)
  }
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  shut(): void {
    this.#socket.emit = emitNoMessage
  }
  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }
  terminate(): void {
    this.#socket.terminate()
  }
  onClose(callback: () => void): void {
    if (this.#socket.readyState === WebSocket.CLOSED) callback()
    else this.#socket.once('close', callback)
  }
}

/** `emit` of a socket whose gate is shut: `close()` alone would go on delivering what the peer sends. */
function emitNoMessage(this: WebSocket, event: string | symbol, ...args: unknown[]): boolean {
  return event === 'message' ? false : EventEmitter.prototype.emit.call(this, event, ...args)
}
