import { LRUCache } from 'lru-cache'
import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'
import { Groups } from './groups.js'
import type { Acquired, Places } from './store.js'

// Counting is not worth more memory than this: when there are more sets, those that nobody asked about longest are forgotten.
const maxSets = 10_000

/** Values, sets and groups in the memory of this process: what a store holds beside its log. */
export class InMemory {
  readonly #clock: Clock
  readonly #maxEntries: number
  readonly #values = new Map<string, { readonly value: unknown; readonly expiresAt: number }>()
  readonly #sets = new LRUCache<string, { readonly members: Set<string>; readonly expiresAt: number }>({ max: maxSets })
  readonly #groups: Groups

  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock
    this.#maxEntries = maxEntries
    this.#groups = new Groups(clock, maxEntries)
  }

  put(key: string, value: unknown, ttl: number): void {
    if (this.#values.size >= this.#maxEntries) this.#makeRoom()
    this.#values.set(key, { value, expiresAt: this.#clock.now() + ttl })
  }

  take(key: string): unknown {
    const entry = this.#values.get(key)
    this.#values.delete(key)
    return entry && entry.expiresAt > this.#clock.now() ? entry.value : undefined
  }

  count(key: string, member: string, ttl: number): number {
    const now = this.#clock.now()
    let set = this.#sets.get(key)
    if (!set || set.expiresAt <= now) {
      set = { members: new Set(), expiresAt: now + ttl }
      this.#sets.set(key, set)
    }
    return set.members.add(member).size
  }

  acquire(group: string, member: string, places: Places, ttl: number): Acquired {
    return this.#groups.acquire(group, member, places, ttl)
  }

  release(group: string, member: string): void {
    this.#groups.release(group, member)
  }

  #makeRoom(): void {
    const now = this.#clock.now()
    for (const [key, { expiresAt }] of this.#values) if (expiresAt <= now) this.#values.delete(key)
    if (this.#values.size >= this.#maxEntries) throw new UnavailableError('the memory store is full')
  }
}
