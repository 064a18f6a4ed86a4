import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import { type Data, sizeOfData } from './data.js'
import { SocketGate } from './socket-gate.js'

/** As much of a standard `WebSocket` as a gate needs. */
export interface EventSocket extends EventTarget {
  readonly readyState: number
  readonly bufferedAmount?: number
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
}

/** The event of a message. */
interface DataEvent extends Event {
  readonly data: Data
}

const open = 1

/**
 * The gate of a standard `WebSocket`: the first who listens for its messages, so that those which may not pass stop here.
 * Nobody else may have listened before.
 */
export class EventGate extends SocketGate<Data> {
  readonly #socket: EventSocket
  readonly #send: EventSocket['send']
  /** The event of the message that has just come, until it is known whether it passes. */
  #coming: Event | undefined
  /** That of a message that had to wait, on its way to the application. */
  #late: Event | undefined

  constructor(socket: EventSocket, dialect: Dialect) {
    super(dialect)
    this.#socket = socket
    this.#send = socket.send
    socket.send = (data) => {
      if (!this.maySend()) return
      this.#send.call(socket, data)
      this.hasSent()
    }
    socket.addEventListener('message', (event) => this.#hear(event as DataEvent))
  }

  #hear(event: DataEvent): void {
    if (event === this.#late) return
    this.#coming = event
    this.take(event.data)
    // Whoever let it pass has taken it out.
    if (this.#coming) event.stopImmediatePropagation()
    this.#coming = undefined
  }

  deliver(data: Data): void {
    if (this.#coming) {
      this.#coming = undefined
      return
    }
    this.#late = new MessageEvent('message', { data })
    this.#socket.dispatchEvent(this.#late)
    this.#late = undefined
  }

  protected get isConnected(): boolean {
    return this.#socket.readyState === open
  }
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount ?? 0
  }
  protected sizeOf(data: Data): number {
    return sizeOfData(data)
  }
  protected write(message: WireMessage): void {
    this.#send.call(this.#socket, message)
  }
  protected writeClose(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }
}
