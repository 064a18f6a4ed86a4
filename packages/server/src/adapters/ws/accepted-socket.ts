import { Backlog } from '../../connections/backlog.js'
import type { Connections } from '../../connections/connections.js'
import { type Authorize, innerDoor } from '../../connections/inner-door.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Identity } from '../../identity.js'
import type { Clock } from '../../support/clock.js'
import { type GatedSocket, type Message, type Receiver, type SendGuard, sizeOf } from './gated-socket.js'

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
    const takes = (message: Message) => this.#isFrame(message)
    const deliver = (message: Message) => gated.deliver(message)
    this.#mayPass = asks ? innerDoor<I, Message>({ ...options, connection, sizeOf, takes, deliver }) : undefined
    gated.sends = this
  }

  /** Its connection, if it is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return connections === this.#options.connections ? this.#connection : undefined
  }

  /** Lets messages in, those first that were kept. */
  letIn(kept: Message[]): void {
    this.#gated.onMessage(this)
    // First, because they may have to wait again.
    this.#gated.resume()
    for (const message of kept.splice(0)) this.receive(message)
  }

  /** Lets messages wait, those first that were kept. The answer lets them in. */
  hold(kept: Message[]): () => void {
    const held = new Backlog(this.#gated, sizeOf)
    const receive = (message: Message) => {
      if (!held.add(message)) this.#options.connections.end(this.#connection, 'limited')
    }
    for (const message of kept.splice(0)) receive(message)
    this.#gated.onMessage({ receive })
    return () => this.letIn(held.empty())
  }

  receive(message: Message): void {
    try {
      if (this.#mayPass ? this.#mayPass(message) : this.#isLetThrough(message)) this.#gated.deliver(message)
    } catch (error) {
      this.fail(error)
    }
  }

  #isLetThrough(message: Message): boolean {
    return !this.#isFrame(message) && this.#options.connections.isOpen(this.#connection)
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
