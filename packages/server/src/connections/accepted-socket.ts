import type { Identity } from '../identity.js'
import type { Clock } from '../support/clock.js'
import { Backlog } from './backlog.js'
import type { Connections } from './connections.js'
import { type Authorize, innerDoor } from './inner-door.js'
import type { LiveConnection } from './live-connection.js'
import type { Transport } from './transport.js'

/** Takes the messages of a socket in place of the application. */
export interface Receiver<M> {
  receive(message: M): void
}

/** Looks after the messages that are sent. */
export interface SendGuard {
  /** Called before each: it closes the socket when none may be sent any more. */
  beforeSend(): void
  /** Called behind each, and behind a ping of the peer, whose pong waits to be sent too. */
  afterSend(): void
}

/** A socket whose messages come to us first, in either direction. */
export interface Gate<M> extends Transport {
  /** Looks after what is sent. */
  sends: SendGuard | undefined
  /** Says who takes the messages of the peer from now on. */
  onMessage(receiver: Receiver<M>): void
  /** Gives the application a message. */
  deliver(message: M): void
}

/** What holds for all accepted sockets of a route. */
export interface AcceptedSocketOptions<I extends Identity, M> {
  readonly connections: Connections<I>
  readonly clock: Clock
  readonly maxBufferedBytes: number
  readonly authorize?: Authorize<I, M>
  readonly messagesPerSecond?: number
  /** How many bytes a message has. */
  readonly sizeOf: (message: M) => number
  /** The text of a message that may be a frame of ours. */
  readonly frameText: (message: M) => string | undefined
}

/** An accepted socket: what becomes of the messages that either side sends. */
export class AcceptedSocket<I extends Identity, M> implements Receiver<M>, SendGuard {
  readonly #options: AcceptedSocketOptions<I, M>
  readonly #gated: Gate<M>
  readonly #connection: LiveConnection<I>
  readonly #mayPass: ((message: M) => boolean) | undefined

  constructor(options: AcceptedSocketOptions<I, M>, gated: Gate<M>, connection: LiveConnection<I>) {
    this.#options = options
    this.#gated = gated
    this.#connection = connection
    const asks = options.authorize !== undefined || options.messagesPerSecond !== undefined
    const takes = (message: M) => this.#isFrame(message)
    const deliver = (message: M) => gated.deliver(message)
    this.#mayPass = asks ? innerDoor<I, M>({ ...options, connection, takes, deliver }) : undefined
    gated.sends = this
  }

  /** Its connection, if it is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return connections === this.#options.connections ? this.#connection : undefined
  }

  /** Lets messages in, those first that were kept. */
  letIn(kept: M[]): void {
    this.#gated.onMessage(this)
    // First, because they may have to wait again.
    this.#gated.resume?.()
    for (const message of kept.splice(0)) this.receive(message)
  }

  /** Lets messages wait, those first that were kept. The answer lets them in. */
  hold(kept: M[]): () => void {
    const held = new Backlog(this.#gated, this.#options.sizeOf)
    const receive = (message: M) => {
      if (!held.add(message)) this.#options.connections.end(this.#connection, 'limited')
    }
    for (const message of kept.splice(0)) receive(message)
    this.#gated.onMessage({ receive })
    return () => this.letIn(held.empty())
  }

  receive(message: M): void {
    try {
      if (this.#mayPass ? this.#mayPass(message) : this.#isLetThrough(message)) this.#gated.deliver(message)
    } catch (error) {
      this.fail(error)
    }
  }

  #isLetThrough(message: M): boolean {
    return !this.#isFrame(message) && this.#options.connections.isOpen(this.#connection)
  }

  /** Takes the message when it is for us. */
  #isFrame(message: M): boolean {
    if (this.#connection.method !== 'message') return false
    const text = this.#options.frameText(message)
    return text !== undefined && this.#options.connections.receive(this.#connection, text)
  }

  beforeSend(): void {
    this.#options.connections.isOpen(this.#connection)
  }

  afterSend(): void {
    if (this.#gated.bufferedAmount <= this.#options.maxBufferedBytes) return
    this.#options.connections.end(this.#connection, 'limited')
    // Its Close would wait behind all the rest.
    this.#gated.terminate?.()
  }

  /** Ends it because of what the application threw. */
  fail(error: unknown): void {
    this.#options.connections.end(this.#connection, 'internal', { error })
  }
}
