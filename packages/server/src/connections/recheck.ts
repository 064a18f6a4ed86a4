import { isDeepStrictEqual } from 'node:util'
import type { CodeName } from '@sallyport/protocol'
import { type Identity, sameIdentity } from '../identity.js'
import { currentFor } from '../revocation/log.js'
import type { Clock } from '../support/clock.js'
import { type Random, randomFraction } from '../support/random.js'
import type { Accept, Answer } from '../verdict.js'
import { isRejected } from '../verifiers/verifier.js'
import { Deadlines } from './deadlines.js'
import type { Events } from './events.js'
import type { ConnectionLife } from './life.js'
import type { LiveConnection, Question } from './live-connection.js'
import { handshakeOf } from './source.js'

/** What becomes of a connection. */
interface Life<I extends Identity> {
  isOpen(connection: LiveConnection<I>): boolean
  replace(connection: LiveConnection<I>, accept: Accept<I>): boolean
  end(connection: LiveConnection<I>, code: CodeName, cause?: { error?: unknown; reason?: string }): void
}

/** What rechecks are built on. */
export interface RechecksOptions<I extends Identity> {
  readonly clock: Clock
  readonly random: Random
  readonly life: ConnectionLife
  readonly events: Events<I>
}

// Half of what `introspection` asks at a time, so that handshakes find room beside them.
const atOnce = 50

/**
 * Looks up the credentials of live connections again, `life.recheck` milliseconds after the last time, so that a sign-out
 * in a store that tells nobody ends them. However many are due, it asks about fifty at a time.
 */
export class Rechecks<I extends Identity> {
  readonly #options: RechecksOptions<I>
  readonly #connections: Life<I>
  readonly #deadlines: Deadlines<Question<I>>
  readonly #due = new Set<Question<I>>()
  #asking = 0

  constructor(connections: Life<I>, options: RechecksOptions<I>) {
    this.#options = options
    this.#connections = connections
    this.#deadlines = new Deadlines(options.clock, (question) => {
      this.#due.add(question)
      this.#askNext()
    })
  }

  /** Asks about a connection from now on, where its credential can be looked up again. */
  keep(connection: LiveConnection<I>): void {
    this.drop(connection)
    if (!connection.accept.recheck) return
    const { clock, random, life } = this.#options
    const question: Question<I> = { connection, silentSince: undefined, slot: undefined, slotPlace: 0 }
    connection.question = question
    // Spread, so that those who came together are not asked about together.
    this.#deadlines.set(question, clock.now() + life.recheck * (1 - randomFraction(random)))
  }

  /** Asks about it no more; an answer to come does not count. */
  drop(connection: LiveConnection<I>): void {
    const { question } = connection
    if (!question) return
    connection.question = undefined
    this.#deadlines.delete(question)
    this.#due.delete(question)
  }

  #askNext(): void {
    for (const question of this.#due) {
      if (this.#asking >= atOnce) return
      this.#due.delete(question)
      void this.#ask(question)
    }
  }

  async #ask(question: Question<I>): Promise<void> {
    const { connection } = question
    this.#asking += 1
    let settle: () => number
    try {
      const answer = await connection.accept.recheck!(handshakeOf(connection))
      settle = () => this.#onAnswer(question, answer)
    } catch (error) {
      settle = () => this.#onSilence(question, error)
    }
    this.#asking -= 1
    if (this.#isAsked(question)) {
      const next = settle()
      // What was not looked up this time cannot be looked up again.
      if (!connection.accept.recheck) this.drop(connection)
      if (this.#isAsked(question)) this.#deadlines.set(question, this.#options.clock.now() + next)
    }
    this.#askNext()
  }

  #isAsked(question: Question<I>): boolean {
    return question.connection.question === question
  }

  /** Takes an answer; how long until the next question. */
  #onAnswer(question: Question<I>, answer: Answer<I>): number {
    const { connection } = question
    const { accept: before } = connection
    const { clock, life, events } = this.#options
    question.silentSince = undefined
    // An answer that comes too late revives nothing.
    if (!this.#connections.isOpen(connection)) return life.recheck
    if (isRejected(answer)) {
      const { rejected: reason } = answer
      // A store knows no more of what has ended than of what was signed out.
      const isOver = before.expiresAt !== undefined && before.expiresAt <= clock.now()
      // Who has a newer credential comes again with that.
      const mayComeAgain = reason === 'credential-expired' || isOver || before.renewedElsewhere
      this.#connections.end(connection, mayComeAgain ? 'expired' : 'revoked', { reason })
    } else if (!sameIdentity(answer.identity, before.identity)) {
      this.#connections.end(connection, 'forbidden')
    } else if (!before.renewedElsewhere && this.#connections.replace(connection, answer)) {
      const isNews = answer.expiresAt !== before.expiresAt || !isDeepStrictEqual(answer.identity, before.identity)
      if (isNews) events.emit({ type: 'renewed', connection })
    }
    return life.recheck
  }

  /** Nobody could say. A broken store is not a bad session, for a while. */
  #onSilence(question: Question<I>, error: unknown): number {
    const { clock, life, events } = this.#options
    const { connection } = question
    question.silentSince ??= clock.now()
    const left = question.silentSince + Math.max(life.maxStaleness, currentFor) - clock.now()
    if (left <= 0) this.#connections.end(connection, 'unavailable', { error })
    else events.emit({ type: 'recheck-failed', connection, error })
    return Math.min(life.recheck, left)
  }
}
