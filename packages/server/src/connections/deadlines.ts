import type { Clock } from '../support/clock.js'

/** Something that falls due. The wheel keeps its place in a field of it, so that it may be on several. */
export type Scheduled<K extends string = 'slot'> = {
  /** The second it stands at; `undefined` while it is not on the wheel. */
  [P in K]: number | undefined
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
  readonly #field: K
  readonly #slots = new Map<number, Set<T>>()
  #cancelTick: (() => void) | undefined

  /** @param field where an item keeps its place; default `slot` */
  constructor(clock: Clock, onDue: (item: T) => void, field = 'slot' as K) {
    this.#clock = clock
    this.#onDue = onDue
    this.#field = field
  }

  /** Lets `item` fall due at `at`, in milliseconds since the epoch, up to a second late; instead of any time set before. */
  set(item: T, at: number): void {
    this.delete(item)
    const slot = Math.ceil(at / second)
    this.#put(item, slot)
    const items = this.#slots.get(slot)
    if (items) items.add(item)
    else this.#slots.set(slot, new Set([item]))
    if (!this.#cancelTick) this.#arm()
  }

  delete(item: T): void {
    const slot = item[this.#field]
    if (slot === undefined) return
    this.#put(item, undefined)
    const items = this.#slots.get(slot)
    items?.delete(item)
    if (items?.size === 0) this.#slots.delete(slot)
    if (this.#slots.size > 0) return
    this.#cancelTick?.()
    this.#cancelTick = undefined
  }

  #put(item: Scheduled<K>, slot: number | undefined): void {
    item[this.#field] = slot
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
        if (item[this.#field] !== slot) continue
        this.delete(item)
        this.#onDue(item)
      }
    }
  }
}
