import { type Identity, identityKey } from '../identity.js'
import type { Places, Store } from '../stores/store.js'
import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'
import { hash } from '../support/hash.js'
import { newId } from '../support/id.js'
import type { Accept } from '../verdict.js'
import { Deadlines, type Scheduled } from './deadlines.js'
import type { LiveConnection } from './live-connection.js'
import { Index } from './registry.js'

/** How many connections an identity may have, and what becomes of one more. */
export interface ConnectionLimit extends Places {
  /**
   * What holds while the store is out of reach: `count-own` (default), each node counts its own connections of the
   * identity; `refuse`, no connection is let in (503).
   */
  readonly whenUnavailable?: 'count-own' | 'refuse'
}

/** What leases are built on. */
export interface LeasesOptions<I extends Identity> {
  readonly store: Store
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  readonly limit: ConnectionLimit
  /** Tells the other nodes, who {@link Leases.hear} it. One that cannot hear it finds out when it renews its places. */
  readonly tell: (question: string) => void
  /** Ends a connection of this node that has lost its place. */
  readonly onLost: (connection: LiveConnection<I>) => void
}

/** A place that this node holds. */
interface Held<I extends Identity> extends Scheduled {
  readonly id: string
  readonly group: string
  /** Absent until it is open. */
  connection: LiveConnection<I> | undefined
  /** Until when it is asked for, where the store does not know of it; in the past where it does. */
  aloneUntil: number
}

// Of a handshake that never comes to an open socket.
const pendingTtl = 15_000
const renewPending = 5_000
// So long the places of a node that was killed stay taken.
const ttl = 60_000
const renew = 20_000

/**
 * The places of connections among those of their identity, on all nodes together. The store lends them for a while, and
 * each node renews those of its own connections, so that a node that is gone gives its places back. Each place that is
 * taken is dropped or abandoned once.
 */
export class Leases<I extends Identity> {
  readonly #options: LeasesOptions<I>
  readonly #held = new Map<string, Held<I>>()
  readonly #byGroup = new Index<Held<I>>()
  readonly #renewals: Deadlines<Held<I>>

  constructor(options: LeasesOptions<I>) {
    this.#options = options
    this.#renewals = new Deadlines(options.clock, (held) => void this.#renew(held))
  }

  /** Takes a place for a connection to come, which takes its id from it; `undefined` when there is none. */
  async take(identity: I): Promise<string | undefined> {
    const { store, clock, random, limit } = this.#options
    const id = newId(random)
    const group = groupOf(identity)
    let aloneUntil = Number.NEGATIVE_INFINITY
    try {
      const { acquired, replaced } = await store.acquire(group, id, limit, pendingTtl)
      if (!acquired) return undefined
      this.#replace(replaced)
    } catch (error) {
      if (limit.whenUnavailable === 'refuse' || !(error instanceof UnavailableError)) {
        // It may have been taken all the same.
        void this.#release(group, id)
        throw error
      }
      if (!this.#hasRoom(group)) return undefined
      aloneUntil = clock.now() + ttl
    }
    const held: Held<I> = { id, group, connection: undefined, aloneUntil, slot: undefined, slotPlace: 0 }
    this.#held.set(id, held)
    this.#byGroup.add(group, held)
    return id
  }

  /** Keeps the place of a connection that is open; `false` when another has it by now. */
  keep(connection: LiveConnection<I>): boolean {
    const held = this.#held.get(connection.id)
    if (!held) return false
    held.connection = connection
    this.#renewals.set(held, this.#options.clock.now() + renewPending)
    return true
  }

  /** Gives the place of a connection back. */
  drop({ id }: LiveConnection<I>): void {
    const held = this.#held.get(id)
    if (held) this.#giveBack(held)
  }

  /** Gives back the place that was taken for a connection of which nothing came. */
  abandon({ lease }: Accept<I>): void {
    const held = lease === undefined ? undefined : this.#held.get(lease)
    if (held && !held.connection) this.#giveBack(held)
  }

  /** Hears from another node whose places others have now. */
  hear(question: string): void {
    for (const id of readReplaced(question)) {
      const held = this.#held.get(id)
      if (held) this.#lose(held)
    }
  }

  /** Whether this node may let in one more by its own count, the oldest having made room where it must. */
  #hasRoom(group: string): boolean {
    const { max, whenFull } = this.#options.limit
    const own = this.#byGroup.get(group)
    if (own.length < max) return true
    if (whenFull === 'refuse') return false
    for (const oldest of own.slice(0, own.length - max + 1)) this.#lose(oldest)
    return true
  }

  /** Ends those who have lost their places to a newer one, wherever they are. */
  #replace(ids: readonly string[]): void {
    const elsewhere = ids.filter((id) => {
      const held = this.#held.get(id)
      if (held) this.#lose(held)
      return !held
    })
    if (elsewhere.length > 0) this.#options.tell(JSON.stringify({ replaced: elsewhere }))
  }

  #lose(held: Held<I>): void {
    this.#forget(held)
    if (held.connection) this.#options.onLost(held.connection)
  }

  #giveBack(held: Held<I>): void {
    this.#forget(held)
    void this.#release(held.group, held.id)
  }

  #forget(held: Held<I>): void {
    this.#held.delete(held.id)
    this.#byGroup.remove(held.group, held)
    this.#renewals.delete(held)
  }

  /** What the store does not hear of ends by itself. */
  async #release(group: string, id: string): Promise<void> {
    try {
      await this.#options.store.release(group, id)
    } catch {}
  }

  async #renew(held: Held<I>): Promise<void> {
    const { store, clock, limit } = this.#options
    const { id, group } = held
    const isAlone = held.aloneUntil > clock.now()
    let next = renew
    try {
      // Who has lost its place takes it from nobody who came after; the store has not heard of one that was counted alone.
      const places: Places = { max: limit.max, whenFull: isAlone ? limit.whenFull : 'refuse' }
      const { acquired, replaced } = await store.acquire(group, id, places, ttl)
      this.#replace(replaced)
      if (acquired) held.aloneUntil = Number.NEGATIVE_INFINITY
      // For a minute the places of those who left meanwhile may still be taken.
      else if (isAlone) next = renewPending
      else return this.#lose(held)
    } catch {
      next = renewPending
    }
    if (this.#held.has(id)) this.#renewals.set(held, clock.now() + next)
    else void this.#release(group, id)
  }
}

/** None, when it is another kind of question. */
function readReplaced(question: string): readonly string[] {
  try {
    const { replaced } = JSON.parse(question) as { readonly replaced?: unknown }
    return Array.isArray(replaced) ? replaced : []
  } catch {
    return []
  }
}

const groupOf = (identity: Identity): string => `connections:${hash(identityKey(identity))}`
