import { type Identity, identityKey } from '../identity.js'
import type { Places, Store } from '../stores/store.js'
import type { Clock } from '../support/clock.js'
import { hash } from '../support/hash.js'
import { newId } from '../support/id.js'
import { Deadlines, type Scheduled } from './deadlines.js'
import type { LiveConnection } from './live-connection.js'

/** What leases are built on. */
export interface LeasesOptions<I extends Identity> {
  readonly store: Store
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  readonly places: Places
  /** Ends connections, on whatever node they are, whose places others have now. */
  readonly onReplaced: (ids: readonly string[]) => void
  /** Ends a connection of this node whose place was lost while the store was out of reach. */
  readonly onLost: (connection: LiveConnection<I>) => void
}

/** A place that is kept. */
interface Kept<I extends Identity> extends Scheduled {
  readonly connection: LiveConnection<I>
}

// Of a handshake that never comes to an open socket.
const pendingTtl = 15_000
const renewPending = 5_000
// So long the places of a node that was killed stay taken.
const ttl = 60_000
const renew = 20_000

/**
 * The places of connections among those of their identity, on all nodes together. The store lends them for a while, and
 * each node renews those of its own connections, so that a node that is gone gives its places back.
 */
export class Leases<I extends Identity> {
  readonly #options: LeasesOptions<I>
  readonly #kept = new Map<string, Kept<I>>()
  readonly #renewals: Deadlines<Kept<I>>

  constructor(options: LeasesOptions<I>) {
    this.#options = options
    this.#renewals = new Deadlines(options.clock, (kept) => void this.#renew(kept))
  }

  /** Takes a place for a connection to come, which takes its id from it; `undefined` when there is none. */
  async take(identity: I): Promise<string | undefined> {
    const { store, random, places, onReplaced } = this.#options
    const id = newId(random)
    const { acquired, replaced } = await store.acquire(groupOf(identity), id, places, pendingTtl)
    if (replaced.length > 0) onReplaced(replaced)
    return acquired ? id : undefined
  }

  /** Keeps the place of a connection that is open. */
  keep(connection: LiveConnection<I>): void {
    const kept: Kept<I> = { connection, slot: undefined }
    this.#kept.set(connection.id, kept)
    this.#renewals.set(kept, this.#options.clock.now() + renewPending)
  }

  /** Gives the place of a connection back. */
  drop({ id, identity }: LiveConnection<I>): void {
    const kept = this.#kept.get(id)
    if (!kept) return
    this.#kept.delete(id)
    this.#renewals.delete(kept)
    // What the store does not hear of ends by itself.
    this.#options.store.release(groupOf(identity), id).catch(() => {})
  }

  async #renew(kept: Kept<I>): Promise<void> {
    const { store, clock, onLost } = this.#options
    const { connection } = kept
    let next = renew
    try {
      // Who has lost its place takes it from nobody who came after.
      const places: Places = { ...this.#options.places, whenFull: 'refuse' }
      const { acquired } = await store.acquire(groupOf(connection.identity), connection.id, places, ttl)
      if (!acquired) return onLost(connection)
    } catch {
      next = renewPending
    }
    if (this.#kept.get(connection.id) === kept) this.#renewals.set(kept, clock.now() + next)
    else store.release(groupOf(connection.identity), connection.id).catch(() => {})
  }
}

const groupOf = (identity: Identity): string => `connections:${hash(identityKey(identity))}`
