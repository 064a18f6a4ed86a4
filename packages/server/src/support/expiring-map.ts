const leastSize = 64

/**
 * A map whose entries come to an end. What is over is swept out whenever the map has doubled since the last time, so that
 * an entry costs the same however many there are, and there are never more than twice those that are not over.
 */
export class ExpiringMap<K, V> {
  readonly #now: () => number
  readonly #entries = new Map<K, { readonly value: V; readonly end: number }>()
  #sweepAt = leastSize

  constructor(now: () => number) {
    this.#now = now
  }

  /** How many it holds, those among them that are over and not yet swept out. */
  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.end > this.#now() ? entry.value : undefined
  }

  /** Puts `value` under `key` until `end`, in milliseconds since the epoch, behind all others. */
  set(key: K, value: V, end: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, end })
    if (this.#entries.size < this.#sweepAt) return
    const now = this.#now()
    for (const [old, entry] of this.#entries) if (entry.end <= now) this.#entries.delete(old)
    this.#sweepAt = Math.max(leastSize, this.#entries.size * 2)
  }

  /** Those that are not over, in the order in which they were put. */
  *[Symbol.iterator](): IterableIterator<[key: K, value: V]> {
    const now = this.#now()
    for (const [key, { value, end }] of this.#entries) if (end > now) yield [key, value]
  }
}
