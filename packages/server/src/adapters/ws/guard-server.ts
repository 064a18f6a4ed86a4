import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Connection } from '../../connections/connection.js'
import type { Authorize } from '../../connections/inner-door.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Dialect } from '../../dialects/dialect.js'
import { plain } from '../../dialects/plain.js'
import type { Guard } from '../../guard/guard.js'
import { fromNode } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import { checkedNumber } from '../../support/checked-number.js'
import type { Verdict } from '../../verdict.js'
import { claimUpgrades, refuseSocket, releaseSocket } from '../node/upgrades.js'
import { AcceptedSocket } from './accepted-socket.js'
import { GatedSocket, type Message, makeGateable } from './gated-socket.js'
import { checkWebSocketServer, warnOfOthers } from './other-servers.js'

export type { Message } from './gated-socket.js'

/** Options of {@link guardServer}. */
export interface GuardServerOptions<I extends Identity = Identity> {
  /** The path that the guard owns, such as `/ws`, compared exactly: no other listener of the server sees its upgrades. */
  readonly path: string
  /**
   * A `WebSocketServer` of yours, made with `noServer: true`. Its options hold for accepted connections, whose class
   * extends its `WebSocket`, and its `clients` are those that were accepted. Default: one without compression, whose
   * messages are 1 MiB at most.
   */
  readonly webSocketServer?: WebSocketServer
  /**
   * The protocol that the route speaks, where its clients read close codes in a way of their own: `graphqlWs` or `yjs`.
   * Default: none, and the close codes are those of the protocol of Sallyport.
   */
  readonly dialect?: Dialect
  /** Asked about every message of an accepted connection. Default: all may pass. */
  readonly authorize?: Authorize<I, Message>
  /** How many messages a second a connection may send, 1 at least; more close it with 4029. Default: any number. */
  readonly messagesPerSecond?: number
  /**
   * How many bytes of what was sent may wait for a client that reads slowly. One more ends the connection at once, with no
   * Close: it would wait behind them. Default 16,777,216: 16 MiB. A single message counts whole.
   */
  readonly maxBufferedBytes?: number
}

/**
 * Takes an accepted socket. When it answers a promise, the messages of the socket wait until it listens for them or the
 * promise settles, so that none is lost. Any other answer means nothing.
 */
export type ConnectionHandler<I extends Identity> = (socket: WebSocket, connection: Connection<I>) => unknown

/**
 * Guards the WebSocket route at `path` of a Node.js server: only accepted sockets reach `onConnection`. When it throws,
 * the connection is closed with 1011.
 *
 * The path is the guard's alone: no other listener of the server sees its upgrades, whoever came first. Those to paths
 * that no guard owns are left to the others, and get 404 when nobody takes them within a second; within ten where
 * somebody listens on the socket.
 *
 * @returns a function that takes the route off the server; live connections stay.
 * @throws ConfigurationError when the path is already guarded, or the `WebSocketServer` has a server of its own or is
 *   older than ws 8, or a number among the options cannot work.
 */
export function guardServer<I extends Identity>(
  server: Server,
  guard: Guard<I>,
  options: GuardServerOptions<I>,
  onConnection: ConnectionHandler<I>,
): () => void {
  const {
    path,
    webSocketServer = defaultWebSocketServer(),
    dialect = plain,
    maxBufferedBytes = 16 * mebibyte,
    messagesPerSecond,
  } = options
  const { connections, clock } = guard
  checkWebSocketServer(webSocketServer)
  checkedNumber('guardServer', 'maxBufferedBytes', maxBufferedBytes, 0)
  if (messagesPerSecond !== undefined) checkedNumber('guardServer', 'messagesPerSecond', messagesPerSecond, 1)
  makeGateable(webSocketServer)
  const inside = { ...options, connections, clock, maxBufferedBytes }

  async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const handshake = fromNode(request)
    const place = guard.enter(handshake)
    if ('reason' in place) return refuseSocket(socket, clock, place)
    let verdict: Verdict<I> | undefined
    // The client may leave at any time, and ws need not complete what it is given.
    const giveUp = () => {
      place.leave()
      if (verdict) connections.abandon(verdict)
    }
    const leave = () => {
      socket.off('close', giveUp)
      place.leave()
    }
    socket.on('close', giveUp)
    verdict = await guard.decide(handshake)
    if (socket.destroyed) return giveUp()
    const upgrade = { webSocketServer, dialect, verdict, request, socket, head }
    if (verdict.type === 'accept') {
      complete(upgrade, (gated) => {
        leave()
        const connection = connections.open(verdict, handshake, gated)
        if (connection) handOver(gated, connection, [])
      })
    } else if (verdict.type === 'await') {
      completePending(upgrade, (gated) => {
        const countBytes = (chunk: Buffer) => firstMessage.count(chunk.length)
        const firstMessage = connections.wait<Message>(verdict, {
          handshake,
          transport: gated,
          onDecided() {
            leave()
            socket.off('data', countBytes)
          },
          onOpen(connection, kept) {
            webSocketServer.clients?.add(gated.webSocket)
            handOver(gated, connection, kept)
          },
        })
        place.wait(() => firstMessage.evict())
        gated.onMessage({ receive: (message) => firstMessage.receive(textOf(message), message) })
        // Behind the listener of ws, so that a credential in this very chunk has been seen.
        socket.on('data', countBytes)
      })
    } else if (verdict.by === 'close') {
      completePending(upgrade, (gated) => {
        leave()
        connections.turnAway(verdict, gated)
      })
    } else {
      leave()
      refuseSocket(socket, clock, verdict)
    }
  }

  /** Opens the inner door, and gives the socket to the application. */
  function handOver(gated: GatedSocket, connection: LiveConnection<I>, kept: Message[]): void {
    const { webSocket } = gated
    const accepted = new AcceptedSocket<I>(inside, gated, connection)
    try {
      const done = onConnection(webSocket, connection)
      const isAsync = done instanceof Promise
      if (isAsync) done.catch((error: unknown) => accepted.fail(error))
      if (isAsync && webSocket.listenerCount('message') === 0) {
        gated.hold(kept)
        whenListening(webSocket, done, () => accepted.letIn(kept))
      } else {
        accepted.letIn(kept)
      }
    } catch (error) {
      accepted.fail(error)
    }
  }

  const giveBack = claimUpgrades(server, clock, path, onUpgrade)
  const stopWatch = warnOfOthers(server)
  return () => {
    giveBack()
    stopWatch()
  }
}

const mebibyte = 1_048_576

const defaultWebSocketServer = () =>
  new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: mebibyte })

/** A handshake that is to be completed, and what the guard says of it. */
interface Upgrade {
  readonly webSocketServer: WebSocketServer
  readonly dialect: Dialect
  readonly verdict: Verdict
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Answers the 101, with the subprotocol of the verdict or none. */
function complete(upgrade: Upgrade, onOpen: (gated: GatedSocket) => void): void {
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
function completePending(upgrade: Upgrade, onOpen: (gated: GatedSocket) => void): void {
  delete upgrade.request.headers['sec-websocket-extensions']
  complete(upgrade, (gated) => {
    upgrade.webSocketServer.clients?.delete(gated.webSocket)
    onOpen(gated)
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

const textOf = ([data, isBinary]: Message): string | undefined => (isBinary ? undefined : data.toString())
