import type { AcceptedSocket } from '../../connections/accepted-socket.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import type { Identity } from '../../identity.js'
import { keysOf } from '../../revocation/revocations.js'
import type { ObjectState, RuntimeWebSocket } from '../../support/cloudflare.js'
import { hash } from '../../support/hash.js'
import { sizeOfData } from '../fetch/data.js'
import { SocketGate } from '../fetch/socket-gate.js'
import { attach, detach } from './object-attachment.js'

/** A message as the runtime hands it on. */
export type ObjectMessage = string | ArrayBuffer

/** What a gate needs of its object. */
export interface GateOwner<I extends Identity> {
  readonly ctx: ObjectState
  readonly dialect: Dialect
  /** Sees to it that the object is awake at that time, in milliseconds since the epoch. */
  wakeAt(time: number): void
  /** Told of a socket whose tags do not tell, or no longer, who is connected. */
  untagged(): void
  deliver(socket: RuntimeWebSocket, message: ObjectMessage, connection: LiveConnection<I>): unknown
  /** Told that its connection is gone. */
  gone(gate: ObjectGate<I>, code: number, reason: string): void
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
  /** The Close that was sent. */
  #sent: [code: number, reason: string] = [1006, '']

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
      attach(this.#owner.ctx, this.socket, connection, lookAt)
      const tags = this.#owner.ctx.getTags(this.socket)
      if (tagsOf(connection).some((tag) => !tags.includes(tag))) this.#owner.untagged()
    } catch (error) {
      this.#owner.fail(connection, error)
    }
  }

  /** What was thrown by the application about its message. */
  fail(error: unknown): void {
    ;(this.sends as AcceptedSocket<I, ObjectMessage> | undefined)?.fail(error)
  }

  deliver(message: ObjectMessage): void {
    if (this.#connection) this.#owner.deliver(this.socket, message, this.#connection)
  }

  /** Also when its peer answers no Close: then nobody else says by which code. */
  gone(): void {
    this.#owner.gone(this, ...this.#sent)
  }

  protected override whenShut(): void {
    this.#lookAt = Number.POSITIVE_INFINITY
    if (this.#isAccepted) detach(this.#owner.ctx, this.socket, this.#connection?.id)
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
    this.#sent = [code, reason]
    this.accept()
    this.socket.close(code, reason)
  }
}
