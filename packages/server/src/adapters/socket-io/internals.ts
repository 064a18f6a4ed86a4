import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ConfigurationError } from '../../support/errors.js'

// What we stand on of socket.io 4.8 and engine.io 6.6. Some of it has no public type: this is all of it.

/** The types of packets (socket.io-protocol 5). */
export const packetTypes = { disconnect: 1, event: 2, ack: 3, connectError: 4 } as const

/** A packet of a namespace. */
export interface Packet {
  readonly type: number
  readonly nsp: string
  readonly data?: unknown
  readonly id?: number | undefined
}

/** An event of the client. */
export interface EventPacket extends Packet {
  readonly data: readonly [string, ...unknown[]]
}

/** Text or bytes. */
export interface Data {
  readonly length: number
}

/** A connection of engine.io, whatever transports it goes over. */
export interface Engine {
  readonly id: string
  readonly protocol: number
  /** The request that opened it; none over WebTransport. */
  readonly request: IncomingMessage | null
  readonly readyState: string
  readonly transport: {
    /** That of a WebSocket; polling has none. */
    readonly socket?: {
      readonly readyState: number
      readonly CLOSED: number
      readonly bufferedAmount: number
      terminate(): void
      once(event: 'close', listener: () => void): unknown
    }
    emit(event: 'close'): unknown
  }
  write(data: Data, ...rest: unknown[]): this
  send(data: Data, ...rest: unknown[]): this
  close(discard?: boolean): void
  once(event: 'close', listener: () => void): unknown
  /** What waited is with the transport. */
  on(event: 'drain', listener: () => void): unknown
  on(event: 'data', listener: (data: Data) => void): unknown
  off(event: 'data', listener: (data: Data) => void): unknown
}

/** A client with all its namespaces. */
export interface SocketIoClient {
  readonly conn: Engine
  readonly sockets: ReadonlyMap<string, SocketIoSocket>
  _packet(packet: Packet): void
}

/** A function of the application: a listener, a middleware, or who waits for an acknowledgement. */
// biome-ignore lint/complexity/noBannedTypes: that is what EventEmitter answers
export type Hook = Function

/** Something whose events the application listens for. */
export interface Emitter {
  /** Emits what the library itself tells. */
  emitReserved(event: string, ...args: unknown[]): unknown
  rawListeners(event: string): Hook[]
}

/** A client in one namespace. */
export interface SocketIoSocket extends Emitter {
  readonly client: SocketIoClient
  readonly conn: Engine
  readonly nsp: { readonly name: string }
  readonly connected: boolean
  /** Whether it goes on where another socket was lost. */
  readonly recovered: boolean
  /** What its client shows to go on after a loss; absent where nothing is recovered. */
  pid?: string
  disconnect(close: boolean): unknown
  _onpacket(packet: Packet): void
  _onerror(error: Error): void
  /** Gives an event to who listens to any, then to `dispatch`. */
  onevent(packet: EventPacket): void
  listenersAny(): readonly Hook[]
  /** How the application answers an event. */
  ack(id: number): () => void
  /** Gives an event to the middleware of the socket, then to its listeners. */
  dispatch(event: EventPacket['data']): void
  readonly fns: readonly Hook[]
  /** Asks the middleware in `fns`. */
  run(event: readonly unknown[], done: (error: Error | null | undefined) => void): void
  /** Tells who listens to whatever is sent. */
  notifyOutgoingListeners(packet: EventPacket): void
  listenersAnyOutgoing(): readonly Hook[]
  /** Keeps who waits for an acknowledgement. */
  registerAckCallback(id: number, waiting: Hook): void
}

/** A namespace. */
export interface Namespace extends Emitter {
  readonly name: string
  readonly adapter: { close(): unknown }
  use(middleware: (socket: SocketIoSocket, next: (error?: Error) => void) => void): unknown
  readonly _fns: readonly Hook[]
  /** Asks the middleware in `_fns`. */
  run(socket: SocketIoSocket, done: (error?: unknown) => void): void
  /** Lets a client in that asks with a CONNECT packet. */
  _add(client: SocketIoClient, auth: Auth, joined: (socket: SocketIoSocket) => void): Promise<void>
}

/** What comes with a CONNECT packet. */
export type Auth = Readonly<Record<string, unknown>>

/** A request as engine.io has read it. */
export interface EngineRequest extends IncomingMessage {
  readonly _query: Readonly<Record<string, string>>
}

/** The response to a request; to an upgrade, something with a few of its methods. */
export type EngineResponse = ServerResponse | (Pick<ServerResponse, 'once' | 'off'> & { readonly socket: Duplex })

/** A server that is attached to one of Node.js. */
export interface InnerServer {
  readonly httpServer: Server
  readonly engine: {
    use(middleware: (request: EngineRequest, response: EngineResponse, next: () => void) => unknown): void
    prependListener(event: 'connection', listener: (engine: Engine) => void): unknown
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
  readonly _nsps: Map<string, Namespace>
  /** The patterns that namespaces are made of, when somebody asks for one. */
  readonly parentNsps: ReadonlyMap<unknown, { readonly children: Set<Namespace> }>
  readonly _opts: { readonly addTrailingSlash?: boolean; readonly allowEIO3?: boolean }
  path(): string
  on(event: 'new_namespace', listener: (namespace: Namespace) => void): unknown
}

const functions = (value: object, ...names: string[]): boolean =>
  names.every((name) => typeof Reflect.get(value, name) === 'function')

const isKnownNamespace = (namespace: Namespace): boolean =>
  functions(namespace, '_add', 'run', 'emitReserved') && Array.isArray(namespace._fns)

/**
 * The inside of a server.
 *
 * @throws ConfigurationError where it is another than we know: then nobody would be guarded
 */
export function insideOf(io: object): InnerServer {
  const inside = io as InnerServer
  const { engine, httpServer, _nsps: namespaces, parentNsps: patterns, _opts: options } = inside
  if (!engine || !httpServer) {
    throw new ConfigurationError(
      'socket-io-not-attached',
      'guardSocketIo: io is attached to no Node.js server; make it with new Server(server), then guard it',
    )
  }
  const isKnown =
    functions(engine, 'use', 'handleUpgrade', 'prependListener') &&
    namespaces instanceof Map &&
    patterns instanceof Map &&
    [...namespaces.values()].every(isKnownNamespace)
  if (!isKnown) {
    throw new ConfigurationError(
      'socket-io-version',
      'guardSocketIo: io is of a version of Socket.IO that is not known here; use 4.8',
    )
  }
  if (options.allowEIO3) {
    throw new ConfigurationError(
      'socket-io-eio3',
      'guardSocketIo: io has allowEIO3, whose clients have no auth; leave it out',
    )
  }
  return inside
}

/** Whether a socket is of a version that we know: else its packets would pass beside the gate. */
export const isKnownSocket = (socket: SocketIoSocket): boolean =>
  functions(socket, '_onpacket', 'onevent', 'ack', 'dispatch', 'run', 'emitReserved', 'registerAckCallback') &&
  functions(socket, 'listenersAny', 'listenersAnyOutgoing', 'notifyOutgoingListeners') &&
  Array.isArray(socket.fns)
