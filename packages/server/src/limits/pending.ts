import { addressKey } from './address.js'

/** Options of {@link Pending}. */
export interface PendingLimits {
  /** How many sockets, and calls of the routes, may stand undecided in all. Default 1,000. */
  readonly pendingSockets: number
  /** How many of one address. Default 100. */
  readonly pendingPerAddress: number
}

/** A place among the undecided, held until it is left. */
export interface Place {
  /**
   * From now on the socket only waits for its peer: when room is needed, it goes first, and `evict` ends it. It answers
   * `false` when the socket waits no more, and then it stays.
   */
  wait(evict: () => boolean): void
  /** Gives the place back; a second call does nothing. */
  leave(): void
}

/** A socket that only waits. */
interface Waiting {
  readonly key: string | undefined
  readonly evict: () => boolean
}

/**
 * Bounds the sockets that are not yet decided. A pool, or an address, that is full of sockets which only wait for their
 * first message does not keep out those that come with a credential: the one that has waited longest makes room.
 */
export class Pending {
  readonly #limits: PendingLimits
  readonly #byAddress = new Map<string, number>()
  readonly #waiting = new Map<Place, Waiting>()
  #size = 0

  constructor(limits: PendingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  /** Takes a place; `undefined` when there is none. */
  enter(address: string): Place | undefined {
    const key = addressKey(address)
    const { pendingSockets, pendingPerAddress } = this.#limits
    if (this.#countOf(key) >= pendingPerAddress && !this.#evictOldest(key)) return undefined
    if (this.#size >= pendingSockets && !this.#evictOldest()) return undefined
    this.#size += 1
    this.#add(key, 1)
    let taken = true
    const place: Place = {
      wait: (evict) => {
        if (taken) this.#waiting.set(place, { key, evict })
      },
      leave: () => {
        if (!taken) return
        taken = false
        this.#waiting.delete(place)
        this.#size -= 1
        this.#add(key, -1)
      },
    }
    return place
  }

  #countOf(key: string | undefined): number {
    return (key === undefined ? undefined : this.#byAddress.get(key)) ?? 0
  }

  #add(key: string | undefined, change: number): void {
    if (key === undefined) return
    const count = this.#countOf(key) + change
    if (count === 0) this.#byAddress.delete(key)
    else this.#byAddress.set(key, count)
  }

  /** Whether one that waited, of all or of an address, has made room. */
  #evictOldest(ofKey?: string): boolean {
    for (const [place, { key, evict }] of this.#waiting) {
      if (ofKey !== undefined && key !== ofKey) continue
      this.#waiting.delete(place)
      if (!evict()) continue
      place.leave()
      return true
    }
    return false
  }
}
