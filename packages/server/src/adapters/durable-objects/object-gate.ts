import type { AcceptedSocket } from '../../connections/accepted-socket.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import { type ConnectionRecord, recordOf } from '../../connections/record.js'
import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import type { Identity } from '../../identity.js'
import { keysOf } from '../../revocation/revocations.js'
import type { ObjectState, RuntimeWebSocket } from '../../support/cloudflare.js'
import { hash } from '../../support/hash.js'
import { sizeOfData } from '../fetch/data.js'
import { SocketGate } from '../fetch/socket-gate.js'

/** A message as the runtime hands it on. */
export type ObjectMessage = string | ArrayBuffer

/** What an object keeps beside a socket while it sleeps: 16 KiB at most, and no credential. */
interface Attachment {
  /** When to look at the connection next, in milliseconds since the epoch. */
  readonly lookAt: number
  /** The connection; absent where it is too large, and is kept in the object's storage under `key`. */
  readonly record?: ConnectionRecord
  readonly key?: string
}

/** What a gate needs of its object. */
export interface GateOwner<I extends Identity> {
  readonly ctx: ObjectState
  readonly dialect: Dialect
  /** Sees to it that the object is awake at that time, in milliseconds since the epoch. */
  wakeAt(time: number): void
  /** Told of a socket whose tags do not tell, or no longer, who is connected. */
  untagged(): void
  deliver(socket: RuntimeWebSocket, message: ObjectMessage, connection: LiveConnection<I>): unknown
  /** Told that something of it cannot be kept. */
  fail(connection: LiveConnection<I>, error: unknown): void
}

const open = 1

/** The tags of a connection: by them a revocation finds its socket without a look at the others. */
const tagsOf = <I extends Identity>({ id, accept }: LiveConnection<I>): string[] =>
  // Without the first, which all have.
  keysOf({ ...accept, lease: id })
    .slice(1)
    .map(tagOf)

/** The tag of a revocation's key: of one length, because a tag has 256 characters at most. */
export const tagOf = (key: string): string => hash(key)

/** The gate of a socket that outlives the memory of its object. */
export class ObjectGate<I extends Identity> extends SocketGate<ObjectMessage> {
  readonly socket: RuntimeWebSocket
  readonly #owner: GateOwner<I>
  readonly #send: RuntimeWebSocket['send']
  #isAccepted: boolean
  #connection: LiveConnection<I> | undefined
  #lookAt = Number.POSITIVE_INFINITY

  /** @param isAccepted whether the runtime has it already */
  constructor(owner: GateOwner<I>, socket: RuntimeWebSocket, isAccepted = false) {
    super(owner.dialect)
    this.socket = socket
    this.#owner = owner
    this.#send = socket.send
    this.#isAccepted = isAccepted
    socket.send = (data) => {
      if (!this.maySend()) return
      this.#send.call(socket, data)
      this.hasSent()
    }
  }

  /** When to look at its connection next. */
  get lookAt(): number {
    return this.#lookAt
  }

  /** Its connection, once it is accepted. */
  get connection(): LiveConnection<I> | undefined {
    return this.#connection
  }

  /** Hands the socket over to the runtime, under these tags, so that the object may sleep meanwhile. */
  accept(tags: string[] = []): void {
    if (this.#isAccepted) return
    this.#isAccepted = true
    this.#owner.ctx.acceptWebSocket(this.socket, tags)
  }

  /** Its connection is open. */
  begin(connection: LiveConnection<I>): void {
    this.accept(tagsOf(connection))
    this.#connection = connection
    this.keep()
  }

  /** Its connection is in memory again. */
  takeUp(connection: LiveConnection<I>, lookAt: number): void {
    this.#connection = connection
    this.#lookAt = lookAt
    // The runtime has given the alarm up if it failed too often.
    this.#owner.wakeAt(lookAt)
  }

  keep(lookAt = this.#lookAt): void {
    this.#lookAt = lookAt
    const connection = this.#connection
    if (!connection) return
    try {
      this.#owner.wakeAt(lookAt)
      this.#write(connection)
      const tags = this.#owner.ctx.getTags(this.socket)
      if (tagsOf(connection).some((tag) => !tags.includes(tag))) this.#owner.untagged()
    } catch (error) {
      this.#owner.fail(connection, error)
    }
  }

  #write(connection: LiveConnection<I>): void {
    const record = recordOf(connection)
    const { kv } = this.#owner.ctx.storage
    const key = keyOf(connection.id)
    try {
      this.socket.serializeAttachment({ lookAt: this.#lookAt, record } satisfies Attachment)
    } catch {
      kv.put(key, record)
      this.socket.serializeAttachment({ lookAt: this.#lookAt, key } satisfies Attachment)
    }
  }

  /** What was thrown by the application about its message. */
  fail(error: unknown): void {
    ;(this.sends as AcceptedSocket<I, ObjectMessage> | undefined)?.fail(error)
  }

  deliver(message: ObjectMessage): void {
    if (this.#connection) this.#owner.deliver(this.socket, message, this.#connection)
  }

  protected override whenShut(): void {
    this.#lookAt = Number.POSITIVE_INFINITY
    const { connection } = this
    // Whoever wakes finds nothing to let in.
    if (this.#isAccepted) this.socket.serializeAttachment(null)
    if (connection) this.#owner.ctx.storage.kv.delete(keyOf(connection.id))
  }

  protected get isConnected(): boolean {
    return this.socket.readyState === open
  }
  get bufferedAmount(): number {
    return this.socket.bufferedAmount ?? 0
  }
  protected sizeOf(message: ObjectMessage): number {
    return sizeOfData(message)
  }
  protected write(message: WireMessage): void {
    this.#send.call(this.socket, message)
  }
  protected writeClose(code: number, reason: string): void {
    this.accept()
    this.socket.close(code, reason)
  }
}

const keyOf = (connection: string): string => `sallyport:${connection}`

/** What is kept beside a socket: when to look at it, and its connection. `undefined`: nobody may come in by it. */
export function readAttachment(
  { storage }: ObjectState,
  socket: RuntimeWebSocket,
): { readonly lookAt: number; readonly record: () => ConnectionRecord | undefined } | undefined {
  const attachment = socket.deserializeAttachment() as Attachment | null
  if (!attachment || socket.readyState !== open) return undefined
  const { lookAt, record, key = '' } = attachment
  return { lookAt, record: () => record ?? storage.kv.get<ConnectionRecord>(key) }
}
