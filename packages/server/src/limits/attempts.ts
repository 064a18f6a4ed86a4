import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'
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
  /** The second that the verifications fall into. */
  second: number
  verifications: number
}

// More addresses than this at once are a flood that no counting by address holds up.
const maxAddresses = 10_000

/** Counts bad credentials by address. Whoever guesses costs little, and locks nobody out who has a good one. */
export class Attempts {
  readonly #clock: Clock
  readonly #limits: AttemptLimits
  readonly #records = new LRUCache<string, Record>({ max: maxAddresses })

  constructor(clock: Clock, limits: AttemptLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Asks for a verification. */
  ask(address: string): Standing {
    const record = this.#records.get(addressKey(address))
    const now = this.#clock.now()
    if (!record || record.minute !== minuteOf(now) || record.failures.size < this.#limits.failedAttempts) return 'good'
    const second = Math.floor(now / 1_000)
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
    const minute = minuteOf(this.#clock.now())
    let record = this.#records.get(key)
    if (record?.minute !== minute) {
      record = { minute, failures: new Set(), second: 0, verifications: 0 }
      this.#records.set(key, record)
    }
    if (record.failures.size < this.#limits.failedAttempts) record.failures.add(credentialHash)
  }
}

const minuteOf = (time: number): number => Math.floor(time / 60_000)
