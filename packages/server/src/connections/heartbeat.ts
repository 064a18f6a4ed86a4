import type { Identity } from '../identity.js'
import type { Clock } from '../support/clock.js'
import { type Random, randomFraction } from '../support/random.js'
import { Deadlines } from './deadlines.js'
import type { LiveConnection } from './live-connection.js'

/** What the heartbeat is built on. */
export interface HeartbeatOptions<I extends Identity> {
  readonly clock: Clock
  readonly random: Random
  /** How often a peer is pinged, in milliseconds. */
  readonly period: number
  /** Ends a connection whose peer is gone. */
  readonly onSilent: (connection: LiveConnection<I>) => void
}

const enough = 2

/**
 * Pings peers, so that proxies see life on a quiet connection, and one that is gone without a word is noticed. It is looked
 * at twice in a period: who has not answered by half of it is pinged once more, and ended at its end. So a peer that is
 * gone loses its place within two periods.
 */
export class Heartbeat<I extends Identity> {
  readonly #options: HeartbeatOptions<I>
  readonly #looks: Deadlines<LiveConnection<I>, 'lookAt'>

  constructor(options: HeartbeatOptions<I>) {
    this.#options = options
    this.#looks = new Deadlines(options.clock, (connection) => this.#look(connection), 'lookAt')
  }

  /** Looks after a connection, if its peers can be pinged. */
  start(connection: LiveConnection<I>): void {
    if (!connection.transport.ping) return
    const { random, period } = this.#options
    // Spread, so that those who came together are not pinged together.
    this.#lookIn(period * (1 - randomFraction(random) / 2), connection)
  }

  stop(connection: LiveConnection<I>): void {
    this.#looks.delete(connection)
  }

  #look(connection: LiveConnection<I>): void {
    const { period, onSilent } = this.#options
    const { transport } = connection
    if (connection.unanswered > 0 && !transport.isSilent) {
      connection.unanswered = 0
    } else if (connection.unanswered === enough) {
      onSilent(connection)
      return
    } else {
      connection.unanswered += 1
      transport.ping?.()
    }
    this.#lookIn(period / 2, connection)
  }

  #lookIn(ms: number, connection: LiveConnection<I>): void {
    this.#looks.set(connection, this.#options.clock.now() + ms)
  }
}
