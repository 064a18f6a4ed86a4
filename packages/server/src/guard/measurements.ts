import type { Clock } from '../support/clock.js'
import { Listeners } from '../support/listeners.js'
import type { MethodName } from '../verdict.js'

/** A piece of the guard's work. */
export type Work =
  /** A decision about a handshake, or about the first message behind it. */
  | { readonly type: 'decision'; readonly outcome: 'accepted' | 'waiting' | 'refused' }
  /** A question to a verifier, wherever the credential came from. `failed`: it could not know. */
  | {
      readonly type: 'verification'
      readonly method: MethodName
      readonly outcome: 'accepted' | 'rejected' | 'failed'
    }

/** What a guard tells of its work, in words that are always the same: `duration` in milliseconds, by the guard's clock. */
export type Measurement = (Work & { readonly duration: number }) | { readonly type: 'ticket-issued' }

/** The measurements of a guard, for those who listen. */
export class Measurements extends Listeners<Measurement> {
  readonly #clock: Clock

  constructor(clock: Clock) {
    super()
    this.#clock = clock
  }

  /** Does some work, and tells how long it took; `done` is absent when it threw. */
  async time<T>(work: () => T | Promise<T>, describe: (done: T | undefined) => Work): Promise<T> {
    const since = this.#clock.now()
    let done: T | undefined
    try {
      done = await work()
      return done
    } finally {
      this.emit({ ...describe(done), duration: Math.max(0, this.#clock.now() - since) })
    }
  }
}
