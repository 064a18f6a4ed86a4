import type { Connection } from '../../connections/connection.js'
import type { PathParams } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'

/** A message as Bun hands it on: text, or the bytes of a binary one. */
export type BunMessage = string | Buffer

/** What `ws.data` is of a guarded socket. */
export interface GuardedData<I extends Identity = Identity, P extends PathParams = PathParams> {
  /** The connection that the guard has accepted. */
  readonly connection: Connection<I, P>
}

/** What is sent as a binary message. */
export type Bytes = ArrayBuffer | NodeJS.ArrayBufferView<ArrayBuffer>

/** A `ServerWebSocket` of Bun, whose `data` is `T`. */
export interface BunSocket<T = unknown> {
  data: T
  readonly readyState: number
  readonly remoteAddress: string
  readonly subscriptions: string[]
  send(data: string | Bytes, compress?: boolean): number
  sendText(data: string, compress?: boolean): number
  sendBinary(data: Bytes, compress?: boolean): number
  publish(topic: string, data: string | Bytes, compress?: boolean): number
  publishText(topic: string, data: string, compress?: boolean): number
  publishBinary(topic: string, data: Bytes, compress?: boolean): number
  subscribe(topic: string): boolean
  unsubscribe(topic: string): boolean
  isSubscribed(topic: string): boolean
  ping(data?: string | Bytes): number
  pong(data?: string | Bytes): number
  close(code?: number, reason?: string): void
  terminate(): void
  pause(): void
  resume(): void
  getBufferedAmount(): number
}

/** Handlers as the `websocket` of `Bun.serve` has them; `S` is the socket. */
export interface BunHandlers<S> {
  /** A socket was accepted. While it answers a promise that has not settled, the messages of the socket wait. */
  open?(ws: S): unknown
  message?(ws: S, message: BunMessage): unknown
  /** What waited for a client that reads slowly is sent. */
  drain?(ws: S): unknown
  close?(ws: S, code: number, reason: string): unknown
  ping?(ws: S, data: Buffer): unknown
  pong?(ws: S, data: Buffer): unknown
}

/** As much of a `Server` of Bun as the guard needs. */
export interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
  upgrade(request: Request, options: { readonly data: unknown; readonly headers?: Record<string, string> }): boolean
}
