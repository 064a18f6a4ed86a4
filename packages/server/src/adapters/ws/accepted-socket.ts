import type { Connections } from '../../connections/connections.js'
import { type Authorize, innerDoor } from '../../connections/inner-door.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Identity } from '../../identity.js'
import type { Clock } from '../../support/clock.js'
import type { GatedSocket, Message, Receiver, SendGuard } from './gated-socket.js'

/** What holds for all accepted sockets of a route. */
export interface AcceptedSocketOptions<I extends Identity> {
  readonly connections: Connections<I>
  readonly clock: Clock
  readonly maxBufferedBytes: number
  readonly authorize?: Authorize<I, Message>
  readonly messagesPerSecond?: number
}

/** An accepted socket: what becomes of the messages that either side sends. */
export class AcceptedSocket<I extends Identity> implements Receiver, SendGuard {
  readonly #options: AcceptedSocketOptions<I>
  readonly #gated: GatedSocket
  readonly #connection: LiveConnection<I>
  readonly #mayPass: ((message: Message) => boolean) | undefined

  constructor(options: AcceptedSocketOptions<I>, gated: GatedSocket, connection: LiveConnection<I>) {
    this.#options = options
    this.#gated = gated
    this.#connection = connection
    const asks = options.authorize !== undefined || options.messagesPerSecond !== undefined
    const deliver = (message: Message) => gated.deliver(message)
    this.#mayPass = asks ? innerDoor<I, Message>({ ...options, connection, deliver }) : undefined
    gated.sends = this
  }

  /** Its connection, if it is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return connections === this.#options.connections ? this.#connection : undefined
  }

  /** Lets messages in, those first that were kept. */
  letIn(kept: Message[]): void {
    this.#gated.onMessage(this)
    for (const message of kept.splice(0)) this.receive(message)
    this.#gated.resume()
  }

  receive(message: Message): void {
    try {
      if (this.#isFrame(message)) return
      const mayPass = this.#mayPass?.(message) ?? this.#options.connections.isOpen(this.#connection)
      if (mayPass) this.#gated.deliver(message)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Takes the message when it is for us. */
  #isFrame(message: Message): boolean {
    if (this.#connection.method !== 'message') return false
    const text = frameText(message)
    return text !== undefined && this.#options.connections.receive(this.#connection, text)
  }

  beforeSend(): void {
    this.#options.connections.isOpen(this.#connection)
  }

  afterSend(): void {
    if (this.#gated.bufferedAmount <= this.#options.maxBufferedBytes) return
    this.#options.connections.end(this.#connection, 'limited')
    // Its Close would wait behind all the rest.
    this.#gated.terminate()
  }

  /** Ends it because of what the application threw. */
  fail(error: unknown): void {
    this.#options.connections.end(this.#connection, 'internal', { error })
  }
}

/** The text of a message that may be a frame; a look into the bytes spares the others the conversion. */
function frameText([data, isBinary]: Message): string | undefined {
  return !isBinary && Buffer.isBuffer(data) && data.includes('"auth"') ? data.toString() : undefined
}
