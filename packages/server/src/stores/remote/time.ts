import type { Clock } from '../../support/clock.js'

/** What replies tell of the time of a server. */
export class ServerTime {
  readonly #clock: Clock
  #offset = { earliest: 0, latest: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Between which times its clock stands now, in milliseconds since the epoch. */
  get now(): { readonly earliest: number; readonly latest: number } {
    const now = this.#clock.now()
    return { earliest: now + this.#offset.earliest, latest: now + this.#offset.latest }
  }

  /** Takes the time that a reply told, and when, by the node's clock, it was asked for and came. */
  told(time: number, sent: number, received: number): void {
    this.#offset = { earliest: time - received, latest: time - sent }
  }
}
