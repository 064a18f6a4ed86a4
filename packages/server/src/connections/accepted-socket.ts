import type { Identity } from '../identity.js'
import type { Clock } from '../support/clock.js'
import { Backlog } from './backlog.js'
import type { LiveConnections } from './connections.js'
import { type Authorize, innerDoor } from './inner-door.js'
import type { LiveConnection } from './live-connection.js'
import type { Transport } from './transport.js'
import type { Wire } from './wire.js'

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
  readonly connections: LiveConnections<I>
  readonly clock: Clock
  readonly maxBufferedBytes: number
  readonly authorize?: Authorize<I, M> | undefined
  readonly messagesPerSecond?: number | undefined
  readonly wire: Wire<M>
}

/** An accepted socket: what becomes of the messages that either side sends. */
export class AcceptedSocket<I extends Identity, M> implements Receiver<M>, SendGuard {
  readonly #options: AcceptedSocketOptions<I, M>
  readonly #gated: Gate<M>
  readonly #connection: LiveConnection<I>
  readonly #mayPass: ((message: M) => boolean) | undefined
  /** The messages that wait to be let in. */
  #held: Backlog<M> | undefined

  constructor(options: AcceptedSocketOptions<I, M>, gated: Gate<M>, connection: LiveConnection<I>) {
    this.#options = options
    this.#gated = gated
    this.#connection = connection
    const asks = options.authorize !== undefined || options.messagesPerSecond !== undefined
    this.#mayPass = asks ? this.#innerDoor() : undefined
    gated.sends = this
  }

  #innerDoor(): (message: M) => boolean {
    return innerDoor<I, M>({
      ...this.#options,
      connection: this.#connection,
      sizeOf: this.#options.wire.sizeOf,
      takes: (message) => this.#isTaken(message),
      deliver: (message) => this.#gated.deliver(message),
    })
  }

  /** Its connection, if it is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return connections === this.#options.connections ? this.#connection : undefined
  }

  /** Lets messages in, those first that were kept. */
  letIn(kept: M[]): void {
    this.#gated.onMessage(this)
    // First, because they may have to wait again.
    this.#held = undefined
    this.#gated.resume?.()
    for (const message of kept.splice(0)) this.receive(message)
  }

  /** Lets messages wait, those first that were kept. The answer lets them in, and others ahead of them. */
  hold(kept: M[]): (first?: M[]) => void {
    const held = new Backlog<M>(this.#gated, this.#options.wire.sizeOf)
    this.#held = held
    this.#gated.onMessage(this)
    for (const message of kept.splice(0)) this.receive(message)
    return (first = []) => this.letIn([...first, ...held.empty()])
  }

  receive(message: M): void {
    try {
      if (this.#held) {
        if (!this.#held.add(message)) this.#options.connections.end(this.#connection, 'limited')
        return
      }
      if (this.#mayPass ? this.#mayPass(message) : this.#isLetThrough(message)) this.#gated.deliver(message)
    } catch (error) {
      this.fail(error)
    }
  }

  #isLetThrough(message: M): boolean {
    return !this.#isTaken(message) && this.#options.connections.isOpen(this.#connection)
  }

  /** Takes the message when it is for us. */
  #isTaken(message: M): boolean {
    const { conversation } = this.#connection
    if (!conversation?.hearAgain) return false
    const { connections, wire } = this.#options
    if (conversation.mark !== undefined && !wire.has(message, conversation.mark)) return false
    const taken = connections.renewals.receive(this.#connection, wire.read(message))
    if (typeof taken === 'boolean') return taken
    const letIn = this.hold([])
    taken.then((rest) => letIn(rest.map(wire.write)))
    return true
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
