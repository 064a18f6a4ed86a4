import { LRUCache } from 'lru-cache'
import type { Store } from '../stores/store.js'
import type { Clock } from '../support/clock.js'
import { hash } from '../support/hash.js'
import { addressKey } from './address.js'

/** How much who guesses may cost. */
export interface AttemptLimits {
  /** How many different bad credentials an address may present in a minute. Default 10. */
  readonly failedAttempts: number
  /**
   * How many bad credentials a second are still verified for an address after that, so that a good one passes which nobody
   * has seen before. Default 20. A ticket, or a credential that its verifier remembers, needs none of them.
   */
  readonly verificationBudget: number
}

interface Record {
  /** The minute that the failures fall into. */
  minute: number
  /** Hashes, so that one stale credential which is tried again and again counts once. */
  readonly failures: Set<string>
  /** How many there are on all nodes together, as the store last said. */
  shared: number
  /** The second that the verifications fall into. */
  second: number
  verifications: number
}

// More addresses than this at once are a flood that no counting by address holds up.
const maxAddresses = 10_000
// And more failures a second than this one that the other nodes need not hear of in full.
const maxShared = 1_000

/**
 * Counts bad credentials by address. Whoever guesses costs little, and locks nobody out who has a good one.
 *
 * A decision waits for no other node: each tells the store of its failures, and learns from the answer of the others'.
 */
export class Attempts {
  readonly #clock: Clock
  readonly #limits: AttemptLimits
  readonly #store: Store
  readonly #records = new LRUCache<string, Record>({ max: maxAddresses })
  #sharedSecond = 0
  #sharedNow = 0

  constructor(clock: Clock, limits: AttemptLimits, store: Store) {
    this.#clock = clock
    this.#limits = limits
    this.#store = store
  }

  /** Whether an address has presented so many bad credentials that not all of its credentials are verified. */
  isLimited(address: string): boolean {
    return this.#limited(address) !== undefined
  }

  /** Takes one of the verifications that a limited address has left in this second; `false` when there is none. */
  spend(address: string): boolean {
    const record = this.#limited(address)
    if (!record) return true
    const second = secondOf(this.#clock.now())
    if (record.second !== second) {
      record.second = second
      record.verifications = 0
    }
    if (record.verifications >= this.#limits.verificationBudget) return false
    record.verifications += 1
    return true
  }

  /** Gives one back: the credential was good, and those cost nothing. */
  refund(address: string): void {
    const record = this.#limited(address)
    if (record?.second === secondOf(this.#clock.now()) && record.verifications > 0) record.verifications -= 1
  }

  #limited(address: string): Record | undefined {
    const key = addressKey(address)
    const record = key === undefined ? undefined : this.#records.get(key)
    if (!record || record.minute !== minuteOf(this.#clock.now())) return undefined
    return Math.max(record.failures.size, record.shared) < this.#limits.failedAttempts ? undefined : record
  }

  /** Counts a bad credential, by its hash. */
  fail(address: string, credentialHash: string): void {
    const key = addressKey(address)
    if (key === undefined) return
    const minute = minuteOf(this.#clock.now())
    let record = this.#records.get(key)
    if (record?.minute !== minute) {
      record = { minute, failures: new Set(), shared: 0, second: 0, verifications: 0 }
      this.#records.set(key, record)
    }
    if (record.failures.size >= this.#limits.failedAttempts || record.failures.has(credentialHash)) return
    record.failures.add(credentialHash)
    void this.#share(record, `attempts:${minute}:${hash(key)}`, credentialHash)
  }

  /** Tells the other nodes. Each counts for itself while the store is out of reach. */
  async #share(record: Record, key: string, credentialHash: string): Promise<void> {
    const second = secondOf(this.#clock.now())
    if (this.#sharedSecond !== second) {
      this.#sharedSecond = second
      this.#sharedNow = 0
    }
    if (++this.#sharedNow > maxShared) return
    try {
      const shared = await this.#store.count(key, credentialHash, 60_000)
      if (Number.isFinite(shared)) record.shared = shared
    } catch {}
  }
}

const secondOf = (time: number): number => Math.floor(time / 1_000)
const minuteOf = (time: number): number => Math.floor(time / 60_000)
