import type { ObjectState } from '../../support/cloudflare.js'

const second = 1_000

/** The one alarm that an object has: for the earliest time at which anything of it is due. */
export class ObjectAlarm {
  readonly #ctx: ObjectState
  #at = Number.POSITIVE_INFINITY

  constructor(ctx: ObjectState) {
    this.#ctx = ctx
    // Before anything else happens to the object, so that a later one never takes the place of what was set before.
    void ctx.blockConcurrencyWhile(async () => {
      this.#at = (await ctx.storage.getAlarm()) ?? this.#at
    })
  }

  /** Sees to it that the object is awake at that time, in milliseconds since the epoch. */
  wakeAt(time: number): void {
    // As late as every deadline may be noticed.
    const at = Math.ceil(time / second) * second
    if (at >= this.#at) return
    this.#at = at
    void this.#ctx.storage.setAlarm(at)
  }

  /** It has come, and everything that was due is done. */
  taken(): void {
    this.#at = Number.POSITIVE_INFINITY
  }
}
