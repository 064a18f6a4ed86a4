import type { Appended, Following, Store, StoreState } from '../stores/store.js'
import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'
import { decodeRevocation, encodeRevocation } from './entry.js'
import { type Holder, type Revocation, Revocations } from './revocations.js'

/** What a revocation log is built on. */
export interface RevocationLogOptions {
  readonly store: Store
  readonly clock: Clock
  /** How long a revocation is kept, in milliseconds. */
  readonly memory: number
  /** How long the known revocations may be used without news, in milliseconds. */
  readonly maxStaleness: number
  /** Ends the connections that a revocation means. */
  readonly apply: (revocation: Revocation) => void
  /** Answers what another node asks. */
  readonly onQuestion: (question: string) => string | undefined
  /** Told when the state of the store changes, and again at every look while it is unavailable. */
  readonly onState: (state: StoreState, changed: boolean) => void
}

/** How long the store counts as in reach after a look, in milliseconds: twenty looks, or two that took as long as they may. */
export const currentFor = 2_000
// From the place of a connection to its opening, and more.
const handshakeTime = 15_000

/** The revocations of all nodes, followed through the store and kept here, so that a decision asks nobody. */
export class RevocationLog {
  readonly #options: RevocationLogOptions
  readonly #revocations: Revocations
  readonly #following: Following
  /** The entries of other versions of this, which are not for this one to put into other words. */
  readonly #asWritten = new WeakMap<Revocation, string>()
  /** What the store has not taken yet. */
  readonly #unsent = new Set<Revocation>()
  #lastState: StoreState
  #onReady: (() => void)[] = []

  constructor(options: RevocationLogOptions) {
    const { store, memory, maxStaleness, onQuestion } = options
    this.#options = options
    // Before the first look nothing is forgotten.
    let now = () => Number.NEGATIVE_INFINITY
    this.#revocations = new Revocations(() => now(), memory, maxStaleness + handshakeTime)
    this.#following = store.follow({
      // As long as it is current, it goes on in any case.
      maxStaleness: Math.max(maxStaleness, currentFor),
      onEntry: (entry) => this.#onEntry(entry),
      entries: () => this.#entries(),
      onQuestion,
      onLook: () => this.#onLook(),
    })
    now = () => this.now
    this.#lastState = this.state
  }

  /** How well the revocations are known. */
  get state(): StoreState {
    const { clock, maxStaleness } = this.#options
    const { currentAt = Number.NEGATIVE_INFINITY } = this.#following
    const staleness = clock.now() - currentAt
    if (staleness < currentFor) return 'current'
    return staleness < maxStaleness ? 'stale' : 'unavailable'
  }

  /** The earliest time that it may be now by the store's clock: what is vouched for now may be older, but not newer. */
  get now(): number {
    return this.#following.time.earliest
  }

  /** Resolves once every revocation of before is known; where the store does not look by itself, behind a look at it. */
  ready(): Promise<void> {
    if (this.#following.look) return this.#following.look()
    if (this.#following.currentAt !== undefined) return Promise.resolve()
    return new Promise((resolve) => this.#onReady.push(resolve))
  }

  /**
   * Whether what was issued to `holder` is revoked.
   *
   * @throws UnavailableError when that has not been known for too long.
   */
  isRevoked(holder: Holder): boolean {
    if (this.state === 'unavailable') throw new UnavailableError('the store is out of reach: revocations are not known')
    return this.find(holder) !== undefined
  }

  /** The revocation, by what is known, that means what was issued to `holder`. */
  find(holder: Holder): Revocation | undefined {
    return this.#revocations.find(holder)
  }

  /**
   * Takes a revocation here at once, and tells all nodes.
   *
   * @throws UnavailableError when the store could not take it: the other nodes learn of it when it is back.
   */
  async revoke(revocation: Omit<Revocation, 'at'>): Promise<Appended> {
    const made: Revocation = { ...revocation, at: this.#following.time.latest }
    this.#take(made)
    return this.#send(made)
  }

  /** Looks at the store, where it does not look by itself: see {@link Following.look}. */
  async look(): Promise<void> {
    await this.#following.look?.()
  }

  /** Asks the other nodes: see {@link Following.ask}. */
  async ask(question: string, most: number): Promise<readonly string[]> {
    return this.#following.ask(question, most)
  }

  /** Stops following. */
  stop(): Promise<void> {
    return this.#following.stop()
  }

  #onEntry(entry: string): void {
    const revocation = decodeRevocation(entry, this.#options.clock.now())
    if (encodeRevocation(revocation) !== entry) this.#asWritten.set(revocation, entry)
    this.#take(revocation)
  }

  #take(revocation: Revocation): void {
    if (this.#revocations.add(revocation)) this.#options.apply(revocation)
  }

  async #send(revocation: Revocation): Promise<Appended> {
    try {
      return await this.#options.store.append(...this.#entryOf(revocation))
    } catch (error) {
      this.#unsent.add(revocation)
      throw error
    }
  }

  *#entries(): Iterable<readonly [entry: string, ttl: number]> {
    for (const revocation of this.#revocations) yield this.#entryOf(revocation)
  }

  #entryOf(revocation: Revocation): [entry: string, ttl: number] {
    return [
      this.#asWritten.get(revocation) ?? encodeRevocation(revocation),
      this.#revocations.endOf(revocation) - this.now,
    ]
  }

  #onLook(): void {
    const { state } = this
    const changed = state !== this.#lastState
    this.#lastState = state
    if (this.#following.currentAt !== undefined) for (const resolve of this.#onReady.splice(0)) resolve()
    if (changed || state === 'unavailable') this.#options.onState(state, changed)
    if (state !== 'current') return
    // Those of now: what a store does not take at once is among them again.
    for (const revocation of [...this.#unsent]) {
      this.#unsent.delete(revocation)
      this.#send(revocation).catch(() => {})
    }
  }
}
