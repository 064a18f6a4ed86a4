import { LRUCache } from 'lru-cache'
import type { Store } from '../stores/store.js'
import type { Clock } from '../support/clock.js'
import { hash } from '../support/hash.js'
import { addressKey } from './address.js'

/** Options of {@link Attempts}. */
export interface AttemptLimits {
  /** How many different bad credentials an address may present in a minute. Default 10. */
  readonly failedAttempts: number
  /** How many verifications a second an address has left after that, so that a good credential still passes. Default 20. */
  readonly verificationBudget: number
}

/** How an address stands: it may have credentials verified, may have some verified still, or may not for now. */
export type Standing = 'good' | 'limited' | 'exhausted'

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

  /** Asks for a verification. */
  ask(address: string): Standing {
    const key = addressKey(address)
    const record = key === undefined ? undefined : this.#records.get(key)
    const now = this.#clock.now()
    if (record?.minute !== minuteOf(now)) return 'good'
    if (Math.max(record.failures.size, record.shared) < this.#limits.failedAttempts) return 'good'
    const second = secondOf(now)
    if (record.second !== second) {
      record.second = second
      record.verifications = 0
    }
    if (record.verifications >= this.#limits.verificationBudget) return 'exhausted'
    record.verifications += 1
    return 'limited'
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
    this.#share(record, `attempts:${minute}:${hash(key)}`, credentialHash)
  }

  #share(record: Record, key: string, credentialHash: string): void {
    const second = secondOf(this.#clock.now())
    if (this.#sharedSecond !== second) {
      this.#sharedSecond = second
      this.#sharedNow = 0
    }
    if (++this.#sharedNow > maxShared) return
    this.#store.count(key, credentialHash, 60_000).then(
      (shared) => {
        record.shared = shared
      },
      // Each node counts for itself while the store is out of reach.
      () => {},
    )
  }
}

const secondOf = (time: number): number => Math.floor(time / 1_000)
const minuteOf = (time: number): number => Math.floor(time / 60_000)
