import type { Identity } from '../identity.js'
import type { Clock } from '../support/clock.js'
import { Deadlines, type Scheduled } from './deadlines.js'
import type { LiveConnection } from './live-connection.js'

/** What the heartbeat is built on. */
export interface HeartbeatOptions<I extends Identity> {
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  /** How often a peer is pinged, in milliseconds. */
  readonly period: number
  /** Ends a connection whose peer is gone. */
  readonly onSilent: (connection: LiveConnection<I>) => void
}

/** What is known of a peer. */
interface Beat<I extends Identity> extends Scheduled {
  readonly connection: LiveConnection<I>
  /** How many pings it has not answered. */
  unanswered: number
}

const enough = 2

/**
 * Pings peers, so that proxies see life on a quiet connection, and one that is gone without a word is noticed. It is looked
 * at twice in a period: who has not answered by half of it is pinged once more, and ended at its end. So a peer that is
 * gone loses its place within two periods.
 */
export class Heartbeat<I extends Identity> {
  readonly #options: HeartbeatOptions<I>
  readonly #beats = new Map<LiveConnection<I>, Beat<I>>()
  readonly #looks: Deadlines<Beat<I>>

  constructor(options: HeartbeatOptions<I>) {
    this.#options = options
    this.#looks = new Deadlines(options.clock, (beat) => this.#look(beat))
  }

  /** Looks after a connection, if its peers can be pinged. */
  start(connection: LiveConnection<I>): void {
    if (!connection.transport.ping) return
    const { random, period } = this.#options
    const beat: Beat<I> = { connection, unanswered: 0, slot: undefined }
    this.#beats.set(connection, beat)
    // Spread, so that those who came together are not pinged together.
    this.#lookIn(period * (1 - random(1)[0]! / 512), beat)
  }

  stop(connection: LiveConnection<I>): void {
    const beat = this.#beats.get(connection)
    if (!beat) return
    this.#beats.delete(connection)
    this.#looks.delete(beat)
  }

  #look(beat: Beat<I>): void {
    const { period, onSilent } = this.#options
    const { connection } = beat
    const { transport } = connection
    if (beat.unanswered > 0 && !transport.isSilent) {
      beat.unanswered = 0
    } else if (beat.unanswered === enough) {
      onSilent(connection)
      return
    } else {
      beat.unanswered += 1
      transport.ping?.()
    }
    this.#lookIn(period / 2, beat)
  }

  #lookIn(ms: number, beat: Beat<I>): void {
    this.#looks.set(beat, this.#options.clock.now() + ms)
  }
}
