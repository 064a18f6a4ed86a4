import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { Connection } from '../connection.js'
import { type Authorize, innerDoor } from '../connections/inner-door.js'
import type { LiveConnection } from '../connections/live-connection.js'
import type { Transport } from '../connections/transport.js'
import { ConfigurationError } from '../errors.js'
import type { Guard } from '../guard.js'
import type { Identity } from '../identity.js'
import { claimUpgrades, refuseSocket } from '../node/upgrades.js'
import { fromNode } from '../request.js'
import type { Verdict } from '../verdict.js'

/** Options of {@link guardServer}. */
export interface GuardServerOptions<I extends Identity = Identity> {
  /** The path that the guard owns, such as `/ws`, compared exactly. Other paths are left to other listeners. */
  readonly path: string
  /**
   * A `WebSocketServer` of yours, made with `noServer: true`. Its options hold for accepted connections, and its
   * `clients` are those that were accepted. Default: one without compression, whose messages are 1 MiB at most.
   */
  readonly webSocketServer?: WebSocketServer
  /** Asked about every message of an accepted connection. Default: all may pass. */
  readonly authorize?: Authorize<I, Message>
  /** How many messages a second a connection may send; more close it with 4029. Default: any number. */
  readonly messagesPerSecond?: number
}

/** A message as ws emits it. */
export type Message = readonly [data: RawData, isBinary: boolean]

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
  options: GuardServerOptions<I>,
  onConnection: ConnectionHandler<I>,
): () => void {
  const { path, webSocketServer: accepted = defaultWebSocketServer() } = options
  if (!accepted.options.noServer) {
    throw new ConfigurationError('guardServer: make your WebSocketServer with { noServer: true }; the guard upgrades')
  }
  // Sockets between the doors are in no `clients` that a broadcast could reach, and nothing is inflated for them.
  const pending = new WebSocketServer({ ...accepted.options, clientTracking: false, perMessageDeflate: false })

  async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const handshake = fromNode(request)
    const place = guard.enter(handshake)
    if ('reason' in place) return refuseSocket(socket, guard.clock, place)
    socket.once('close', place.leave)
    const leave = () => {
      socket.off('close', place.leave)
      place.leave()
    }
    const verdict = await guard.decide(handshake)
    if (verdict.type === 'accept') {
      upgrade(accepted, verdict, request, socket, head, (webSocket) => {
        leave()
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
            leave()
            socket.off('data', countBytes)
            webSocket.off('message', receiveMessage)
            track(accepted, webSocket)
            handOver(webSocket, connection, kept)
          },
        })
        place.wait(() => firstMessage.evict())
        webSocket.on('message', receiveMessage)
        // Behind the listener of ws, so that a credential in this very chunk has been seen.
        socket.on('data', countBytes)
      })
    } else if (verdict.by === 'close') {
      upgrade(pending, verdict, request, socket, head, (webSocket) =>
        guard.connections.turnAway(verdict, new WsTransport(webSocket)),
      )
    } else {
      refuseSocket(socket, guard.clock, verdict)
    }
  }

  function handOver(socket: WebSocket, connection: LiveConnection<I>, kept: Message[]): void {
    gate(socket, connection)
    const deliver = () => {
      for (const message of kept.splice(0)) socket.emit('message', ...message)
      socket.resume()
    }
    const fail = (error: unknown) => guard.connections.end(connection, 'internal', error)
    try {
      const done = onConnection(socket, connection)
      done?.catch(fail)
      if (done && socket.listenerCount('message') === 0) whenListening(socket, done, deliver)
      else if (kept.length > 0 || socket.isPaused) deliver()
    } catch (error) {
      fail(error)
    }
  }

  /**
   * Puts the inner door into a socket: what crosses it, in either direction, crosses while the connection is good. On a
   * connection that speaks the frames, those that renew it are kept from the application.
   */
  function gate(socket: WebSocket, connection: LiveConnection<I>): void {
    const { connections, clock } = guard
    const { emit, send } = socket
    const speaksFrames = connection.method === 'message'
    const deliver = (message: Message) => {
      try {
        return Reflect.apply(emit, socket, ['message', ...message])
      } catch (error) {
        connections.end(connection, 'internal', error)
        return true
      }
    }
    const mayPass = innerDoor<I, Message>({ ...options, connections, connection, clock, deliver })

    socket.emit = function gatedEmit(event: string | symbol, ...args: unknown[]): boolean {
      if (event !== 'message') return Reflect.apply(emit, socket, [event, ...args])
      const [data, isBinary] = args as unknown as Message
      if (speaksFrames && !isBinary && Buffer.isBuffer(data) && data.includes('"auth"')) {
        if (connections.receive(connection, data.toString())) return true
      }
      return mayPass([data, isBinary]) && deliver([data, isBinary])
    }
    socket.send = function gatedSend(...args: unknown[]): void {
      // The check closes a connection that is over; ws tells the callback of a send behind a Close.
      connections.isOpen(connection)
      Reflect.apply(send, socket, args)
    }
  }

  return claimUpgrades(server, guard.clock, path, onUpgrade)
}

const ignore = () => {}
const mebibyte = 1_048_576

const defaultWebSocketServer = () =>
  new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: mebibyte })

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
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
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
