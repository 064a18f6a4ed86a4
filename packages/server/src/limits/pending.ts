import { addressKey } from './address.js'

/** How many may stand undecided. */
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

/** A place that was taken. */
class TakenPlace implements Place {
  readonly #pending: Pending
  readonly key: string | undefined
  #isTaken = true
  /** Ends the socket, where that only waits. */
  evict: (() => boolean) | undefined

  constructor(pending: Pending, key: string | undefined) {
    this.#pending = pending
    this.key = key
  }

  wait(evict: () => boolean): void {
    if (!this.#isTaken) return
    this.evict = evict
    this.#pending.waits(this)
  }

  leave(): void {
    if (!this.#isTaken) return
    this.#isTaken = false
    this.#pending.left(this)
  }
}

/**
 * Bounds the sockets that are not yet decided. A pool, or an address, that is full of sockets which only wait for their
 * first message does not keep out those that come with a credential: the one that has waited longest makes room.
 */
export class Pending {
  readonly #limits: PendingLimits
  readonly #byAddress = new Map<string, number>()
  readonly #waiting = new Set<TakenPlace>()
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
    return new TakenPlace(this, key)
  }

  /** Told that the socket of a place only waits. */
  waits(place: TakenPlace): void {
    this.#waiting.add(place)
  }

  /** Told that a place is free. */
  left(place: TakenPlace): void {
    if (place.evict) this.#waiting.delete(place)
    this.#size -= 1
    this.#add(place.key, -1)
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
    for (const place of this.#waiting) {
      if (ofKey !== undefined && place.key !== ofKey) continue
      this.#waiting.delete(place)
      if (!place.evict?.()) continue
      place.leave()
      return true
    }
    return false
  }
}
