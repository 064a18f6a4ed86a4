import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import type { Identity } from '../../identity.js'
import { sizeOfData } from '../fetch/data.js'
import type { Passage } from '../fetch/passage.js'
import { SocketGate } from '../fetch/socket-gate.js'
import type { BunHandlers, BunMessage, BunSocket, Bytes } from './bun-socket.js'

const gate = Symbol('gate')

/** A socket that has a gate. */
interface GatedSocket extends BunSocket {
  [gate]?: BunGate
}

/** The gate of a socket that has one. */
export const gateOf = (socket: BunSocket): BunGate | undefined => (socket as GatedSocket)[gate]

/** What a gate is made of. */
export interface BunGateOptions<I extends Identity> {
  readonly dialect: Dialect
  readonly passage: Passage<I, BunMessage>
  readonly handlers: BunHandlers<BunSocket>
  readonly maxBufferedBytes: number
}

const open = 1

/** The gate of a socket of Bun. Behind a Close, Bun drops what its peer sends, and ends it after four seconds. */
export class BunGate<I extends Identity = Identity> extends SocketGate<BunMessage> {
  readonly passage: Passage<I, BunMessage>
  readonly #socket: BunSocket
  readonly #base: BunSocket
  readonly #handlers: BunHandlers<BunSocket>
  readonly #maxBufferedBytes: number
  /** Whether nothing has come since the last ping. */
  #isUnanswered = false
  /** Whether nothing could have come since. */
  #isUnderWay = false

  constructor(socket: BunSocket, { dialect, passage, handlers, maxBufferedBytes }: BunGateOptions<I>) {
    super(dialect)
    this.passage = passage
    this.#socket = socket
    this.#handlers = handlers
    this.#maxBufferedBytes = maxBufferedBytes
    this.#base = Object.getPrototypeOf(socket) as BunSocket
    ;(socket as GatedSocket)[gate] = this as unknown as BunGate
    Object.setPrototypeOf(socket, gatedFrom(this.#base))
  }

  override take(message: BunMessage): void {
    this.#isUnanswered = false
    super.take(message)
  }
  /** Told that a pong has come. */
  answered(): void {
    this.#isUnanswered = false
  }
  deliver(message: BunMessage): void {
    this.passage.watch(this.#handlers.message?.(this.#socket, message))
  }
  /** Tells the application what has happened to its socket. */
  tell<K extends keyof BunHandlers<BunSocket>>(name: K, ...args: unknown[]): void {
    const handler = this.#handlers[name]
    if (handler) this.passage.tell(() => Reflect.apply(handler, this.#handlers, args))
  }

  protected get isConnected(): boolean {
    return this.#socket.readyState === open
  }
  get bufferedAmount(): number {
    return this.#socket.getBufferedAmount()
  }
  protected sizeOf(message: BunMessage): number {
    return sizeOfData(message)
  }
  protected write(message: WireMessage): void {
    this.#base.send.call(this.#socket, message as string)
  }
  protected writeClose(code: number, reason: string): void {
    // Behind so much a Close would wait for ever, and who waits for a Close to be sent can no longer be ended.
    if (this.bufferedAmount > this.#maxBufferedBytes) this.#socket.terminate()
    else this.#socket.close(code, reason)
  }
  /** Who is over hears nothing of what is published. */
  protected override whenShut(): void {
    for (const topic of this.#socket.subscriptions) this.#socket.unsubscribe(topic)
  }
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  override terminate(): void {
    this.#socket.terminate()
  }
  ping(): void {
    // A clock that jumps leaves the peer no time to answer: that begins once we have read again.
    if (this.#isUnderWay) return
    this.#isUnanswered = true
    this.#isUnderWay = true
    setImmediate(() => {
      this.#isUnderWay = false
    })
    this.#socket.ping()
  }
  get isSilent(): boolean {
    return this.#isUnanswered && !this.#isUnderWay
  }
}

let known: { readonly base: BunSocket; readonly gated: BunSocket } | undefined

/** The methods of a socket, of which those that send go by its gate. On one prototype, because there are many sockets. */
function gatedFrom(base: BunSocket): BunSocket {
  if (known?.base !== base) known = { base, gated: makeGated(base) }
  return known.gated
}

function makeGated(base: BunSocket): BunSocket {
  const gated = Object.create(base) as BunSocket
  for (const name of ['send', 'sendText', 'sendBinary'] as const) {
    const send = base[name] as BunSocket['send']
    gated[name] = function (this: GatedSocket, data: string | Bytes, compress?: boolean) {
      const gated = this[gate]
      if (!gated?.maySend()) return 0
      const sent = compress === undefined ? send.call(this, data) : send.call(this, data, compress)
      gated.hasSent()
      return sent
    }
  }
  return gated
}
