import type { Identity } from '../identity.js'
import type { Clock } from '../support/clock.js'
import { type Random, randomFraction } from '../support/random.js'
import { Deadlines } from './deadlines.js'
import type { ConnectionLife } from './life.js'
import type { LiveConnection } from './live-connection.js'
import { tell } from './tell.js'

/** What the end of connections is built on. */
export interface ExpiryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly life: ConnectionLife
}

/** What becomes of a connection. */
interface Life<I extends Identity> {
  isOpen(connection: LiveConnection<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
  end(connection: LiveConnection<I>, code: 'expired' | 'internal', cause?: { error?: unknown }): void
}

/** When connections end by themselves, and who is told so beforehand. */
export class Expiry<I extends Identity> {
  readonly #connections: Life<I>
  readonly #options: ExpiryOptions
  readonly #deadlines: Deadlines<LiveConnection<I>>

  constructor(connections: Life<I>, options: ExpiryOptions) {
    this.#connections = connections
    this.#options = options
    this.#deadlines = new Deadlines(options.clock, (connection) => this.look(connection))
  }

  /** Sets when the gate shuts and, where the peer would understand it, when it is told so. */
  set(connection: LiveConnection<I>): void {
    const { clock, random, life } = this.#options
    const { expiresAt = Number.POSITIVE_INFINITY } = connection
    connection.deadline = deadlineOf(connection, life)
    connection.noticed = !connection.conversation?.hearAgain || expiresAt === Number.POSITIVE_INFINITY
    let due = connection.deadline
    if (!connection.noticed) {
      // Spread over a quarter of the time, so that what was issued together is not renewed together.
      const lead = Math.min(life.notice, (expiresAt - clock.now()) / 2) * (1 - randomFraction(random) / 4)
      due = Math.min(expiresAt - lead, due)
    }
    this.#lookAt(connection, due)
  }

  /** Sets the same again for a connection whose memory was lost, and which is looked at when it was to be. */
  restore(connection: LiveConnection<I>): void {
    const { life } = this.#options
    connection.deadline = deadlineOf(connection, life)
  }

  #lookAt(connection: LiveConnection<I>, at: number): void {
    const { transport } = connection
    if (transport.keep) transport.keep(at)
    else this.#deadlines.set(connection, at)
  }

  /** Shuts the gate of a connection that is over: nothing that still waits to cross may do so. */
  shut(connection: LiveConnection<I>): void {
    connection.deadline = Number.NEGATIVE_INFINITY
    this.#deadlines.delete(connection)
  }

  /** Whether the time of a connection is not over; ends it when it is. */
  isOpen(connection: LiveConnection<I>): boolean {
    if (this.#options.clock.now() < connection.deadline) return true
    this.#connections.end(connection, 'expired')
    return false
  }

  /** How long a connection may live on, in whole seconds; `undefined` when its credential has no end. */
  expiresIn({ expiresAt, since }: LiveConnection<I>): number | undefined {
    if (expiresAt === undefined) return undefined
    const { clock, life } = this.#options
    return Math.max(0, Math.floor((Math.min(expiresAt, since + life.maxAge) - clock.now()) / 1000))
  }

  /** Looks at a connection whose time to be looked at has come. */
  look(connection: LiveConnection<I>): void {
    if (!this.isOpen(connection)) return
    const wasNoticed = connection.noticed
    connection.noticed = true
    this.#lookAt(connection, connection.deadline)
    if (wasNoticed) return
    tell(this.#connections, connection, { type: 'expiring', expiresIn: this.expiresIn(connection) ?? 0 })
  }
}

/** When the gate shuts. */
const deadlineOf = (
  { expiresAt = Number.POSITIVE_INFINITY, since }: Pick<LiveConnection, 'expiresAt' | 'since'>,
  { leeway, maxAge }: ConnectionLife,
): number => Math.min(expiresAt + leeway, since + maxAge)
