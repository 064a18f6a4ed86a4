import type { Clock } from '../support/clock.js'

/** Something that falls due. The wheel keeps where it stands in two fields of it, so that it may be on several. */
export type Scheduled<K extends string = 'slot'> = {
  /** The second it stands at; `undefined` while it is not on the wheel. */
  [P in K]: number | undefined
} & {
  /** Its place among those of that second. */
  [P in `${K}Place`]: number
}

const second = 1_000

/**
 * One timer for any number of deadlines, however far away: things stand in slots of a second, and a tick takes out those
 * whose second is over. Deadlines are wall-clock times, so that a process that was suspended, or a clock that was set,
 * finds at its next tick what is due by now.
 */
export class Deadlines<T extends Scheduled<K>, K extends string = 'slot'> {
  readonly #clock: Clock
  readonly #onDue: (item: T) => void
  readonly #slot: K
  readonly #place: `${K}Place`
  // Lists, because a set takes three times as much for each of many.
  readonly #slots = new Map<number, T[]>()
  #cancelTick: (() => void) | undefined

  /** @param slot the field where an item keeps its second; default `slot` */
  constructor(clock: Clock, onDue: (item: T) => void, slot = 'slot' as K) {
    this.#clock = clock
    this.#onDue = onDue
    this.#slot = slot
    this.#place = `${slot}Place`
  }

  /** Lets `item` fall due at `at`, in milliseconds since the epoch, up to a second late; instead of any time set before. */
  set(item: T, at: number): void {
    this.delete(item)
    const slot = Math.ceil(at / second)
    const items = this.#slots.get(slot) ?? []
    if (items.length === 0) this.#slots.set(slot, items)
    const fields = fieldsOf(item)
    fields[this.#slot] = slot
    fields[this.#place] = items.push(item) - 1
    if (!this.#cancelTick) this.#arm()
  }

  delete(item: T): void {
    const fields = fieldsOf(item)
    const slot = fields[this.#slot]
    if (slot === undefined) return
    fields[this.#slot] = undefined
    const items = this.#slots.get(slot)!
    const last = items.pop()!
    if (last !== item) {
      // It takes the place that is free.
      const place = fields[this.#place]!
      items[place] = last
      fieldsOf(last)[this.#place] = place
    }
    if (items.length === 0) this.#slots.delete(slot)
    if (this.#slots.size > 0) return
    this.#cancelTick?.()
    this.#cancelTick = undefined
  }

  /** Waits for the second to be over, because that is when a slot is due. */
  #arm(): void {
    this.#cancelTick = this.#clock.after(second - (this.#clock.now() % second), () => this.#tick())
  }

  #tick(): void {
    const now = this.#clock.now() / second
    this.#arm()
    for (const [slot, items] of this.#slots) {
      if (slot > now) continue
      for (const item of [...items]) {
        // What fell due before may have put it elsewhere, or nowhere.
        if (fieldsOf(item)[this.#slot] !== slot) continue
        this.delete(item)
        this.#onDue(item)
      }
    }
  }
}

const fieldsOf = (item: object) => item as Record<string, number | undefined>
