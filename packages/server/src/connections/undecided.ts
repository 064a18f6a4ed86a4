import type { Conversation } from '../dialects/dialect.js'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { Lingering } from '../limits/lingering.js'
import type { Clock } from '../support/clock.js'
import { newId } from '../support/id.js'
import { randomBytes } from '../support/random.js'
import type { Accept, Await, Refuse, Verdict } from '../verdict.js'
import type { Admit } from '../verifiers/admit.js'
import { Deadlines, type Scheduled } from './deadlines.js'
import type { Events } from './events.js'
import { awaitFirstMessage, type FirstMessage, type PendingSocket } from './first-message.js'
import type { LiveConnection } from './live-connection.js'
import { type SourceReaders, sourceOf } from './source.js'
import { acknowledge } from './tell.js'
import { end, type Linger, type Transport } from './transport.js'

/** The live connections of a node, of which a socket may become one. */
interface Life<I extends Identity> {
  open(
    accept: Accept<I>,
    handshake: Handshake,
    transport: Transport,
    conversation: Conversation,
  ): LiveConnection<I> | undefined
  abandon(verdict: Verdict<I>): void
  isOpen(connection: LiveConnection<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
  end(connection: LiveConnection<I>, code: 'internal', cause: { error: unknown }): void
}

/** What the undecided are built on. */
export interface UndecidedOptions<I extends Identity> extends SourceReaders {
  readonly clock: Clock
  readonly events: Events<I>
  /** The guard's decision about a pending socket, whose message has come. */
  readonly decide: (handshake: Handshake, admit: Admit<I> | undefined) => Verdict<I> | Promise<Verdict<I>>
}

/** A socket whose handshake its runtime completes by itself, so that it comes later than the verdict, or never. */
export interface Absent extends Scheduled {
  /** No socket comes. */
  giveUp(): void
}

// As long as the head of a request may take.
const maxAbsence = 10_000

/**
 * The sockets between the doors: those that are still to come, those that wait for their first message, and those that may
 * read why they are refused.
 */
export class Undecided<I extends Identity> {
  readonly #connections: Life<I>
  readonly #options: UndecidedOptions<I>
  readonly #linger: Linger
  readonly #absences: Deadlines<Absent>

  constructor(connections: Life<I>, options: UndecidedOptions<I>) {
    this.#connections = connections
    this.#options = options
    const lingering = new Lingering()
    this.#linger = (terminate) => lingering.add(options.clock, terminate)
    this.#absences = new Deadlines(options.clock, (absent) => absent.giveUp())
  }

  /** Gives a socket up that does not come in time. */
  expect(absent: Absent): void {
    this.#absences.set(absent, this.#options.clock.now() + maxAbsence)
  }

  /** It is there, or is given up. */
  expectNoMore(absent: Absent): void {
    this.#absences.delete(absent)
  }

  /** Lets a socket wait for its first message. */
  wait<M>(wait: Await, socket: PendingSocket<I, M>): FirstMessage<M> {
    const { handshake, admit, transport } = socket
    const { clock, events, decide } = this.#options
    const { path, address } = sourceOf(handshake, this.#options)
    const connections = this.#connections
    return awaitFirstMessage<I, M>({
      ...socket,
      wait,
      clock,
      linger: this.#linger,
      decide: async (message) => decide({ ...handshake, message }, admit),
      onAbandon: (verdict) => connections.abandon(verdict),
      onFail: (reason, cause) =>
        events.emit({ type: 'refused', id: newId(randomBytes), reason, path, address, ...cause }),
      onAccept: (accept, kept, conversation) => {
        const connection = connections.open(accept, handshake, transport, conversation)
        if (connection && acknowledge(connections, connection)) socket.onOpen(connection, kept)
      },
    })
  }

  /** Turns a socket away after the 101. */
  turnAway(verdict: Refuse, transport: Transport): void {
    end(transport, verdict.code, this.#linger)
  }
}
