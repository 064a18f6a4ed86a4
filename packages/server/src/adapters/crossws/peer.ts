import type { IncomingMessage } from 'node:http'
import type { Wire } from '../../connections/wire.js'

/** A peer of crossws 0.3 or 0.4: as much of it as the guard needs. */
export interface CrosswsPeer {
  /** What its hooks hand on from one to the next. */
  readonly context: Record<string, unknown>
  readonly websocket: object
  readonly peers: { add(peer: never): unknown; delete(peer: never): unknown }
  readonly topics: ReadonlySet<string>
  send(data: unknown): unknown
  unsubscribe(topic: string): void
  close(code?: number, reason?: string): void
  terminate(): void
}

/** A message of crossws 0.3 or 0.4. */
export interface CrosswsMessage {
  readonly rawData: unknown
  text(): string
  uint8Array(): Uint8Array
}

/** The request of an upgrade: on some runtimes a whole `Request`, on others no more than this. */
export interface UpgradeRequest {
  readonly url: string
  readonly headers: Headers
  readonly context?: Record<string, unknown>
  /** The peer's address, where srvx runs crossws. */
  readonly ip?: string | undefined
}

/** What an `upgrade` hook may answer. */
export interface UpgradeAnswer {
  readonly headers?: NonNullable<ConstructorParameters<typeof Headers>[0]>
  readonly context?: Record<string, unknown>
  /** Whose topics are its own, in crossws 0.4. */
  readonly namespace?: string
}

/** Hooks as crossws calls them. */
export interface CrosswsHooks<P, M> {
  upgrade(request: UpgradeRequest): Promise<(UpgradeAnswer & { readonly handled?: boolean }) | Response>
  open(peer: P): void
  message(peer: P, message: M): void
  close(peer: P, details: { code?: number; reason?: string }): void
  error(peer: P, error: Error): void
  drain(peer: P): void
  ping(peer: P, data: Uint8Array): void
  pong(peer: P, data: Uint8Array): void
}

interface MayKnowNode extends UpgradeRequest {
  readonly runtime?: { readonly node?: { readonly req?: IncomingMessage } }
  readonly _req?: IncomingMessage
}

/** The request as Node.js made it, where crossws hands it on: 0.4 to who asks through `crossws/server`, and 0.3 always. */
export const nodeRequestOf = ({ runtime, _req }: MayKnowNode): IncomingMessage | undefined => runtime?.node?.req ?? _req

/** Whether a request is of crossws 0.3 on Node.js. */
export const isOld = (request: MayKnowNode): boolean => request._req !== undefined

/** Makes messages as crossws does. */
type MessageClass<M> = new (rawData: unknown, peer: object) => M

/** How the messages of a peer are looked at. In crossws 0.3 on Node.js nobody can tell text from binary: each may be text. */
export function wireOf<M extends CrosswsMessage>(peer: object): Wire<M> {
  // The class is crossws' own: that of any of its messages.
  let Message: MessageClass<M>
  const isOldPeer = !('namespace' in peer)
  const isText = ({ rawData }: M) => typeof rawData === 'string' || (isOldPeer && Buffer.isBuffer(rawData))
  return {
    sizeOf,
    has: (message, mark) => isText(message) && (message.rawData as string | Buffer).includes(mark),
    read(message) {
      Message = message.constructor as MessageClass<M>
      return isText(message) ? message.text() : message.uint8Array()
    },
    write: (message) => new Message(message, peer),
  }
}

/** How many bytes a message has. */
export function sizeOf({ rawData }: CrosswsMessage): number {
  if (typeof rawData === 'string') return Buffer.byteLength(rawData)
  if (rawData instanceof Blob) return rawData.size
  return rawData instanceof ArrayBuffer || ArrayBuffer.isView(rawData) ? rawData.byteLength : 0
}
