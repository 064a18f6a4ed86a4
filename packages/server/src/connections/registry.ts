import type { Identity } from '../identity.js'
import type { Target } from '../revocation/target.js'
import type { LiveConnection } from './live-connection.js'

/** The live connections of this node, found by what a revocation may name without a look at the others. */
export class Registry<I extends Identity> {
  readonly #byId = new Map<string, LiveConnection<I>>()
  readonly #byUser = new Index<LiveConnection<I>>()
  /** Those whose issuer calls them by another id. */
  readonly #bySubject = new Index<LiveConnection<I>>()
  readonly #bySession = new Index<LiveConnection<I>>()
  readonly #byToken = new Index<LiveConnection<I>>()

  get size(): number {
    return this.#byId.size
  }

  get(id: string): LiveConnection<I> | undefined {
    return this.#byId.get(id)
  }

  values(): IterableIterator<LiveConnection<I>> {
    return this.#byId.values()
  }

  add(connection: LiveConnection<I>): void {
    this.#byId.set(connection.id, connection)
    this.#byUser.add(connection.identity.id, connection)
    this.#bySubject.add(connection.accept.subject?.id, connection)
    this.#bySession.add(connection.session, connection)
    this.#byToken.add(connection.token, connection)
  }

  /** Whether it was there. */
  remove(connection: LiveConnection<I>): boolean {
    this.#byUser.remove(connection.identity.id, connection)
    this.#bySubject.remove(connection.accept.subject?.id, connection)
    this.#bySession.remove(connection.session, connection)
    this.#byToken.remove(connection.token, connection)
    return this.#byId.delete(connection.id)
  }

  /** The connections that a revocation may mean: all of them are candidates, none is missing. */
  candidates(target: Target): LiveConnection<I>[] {
    if (target === 'all') return [...this.#byId.values()]
    if ('subject' in target) return [...this.#byUser.get(target.subject), ...this.#bySubject.get(target.subject)]
    if (target.user !== undefined) return this.#byUser.get(target.user)
    if (target.session !== undefined) return this.#bySession.get(target.session)
    if (target.token !== undefined) return this.#byToken.get(target.token)
    if (target.connection === undefined) return [...this.#byId.values()]
    const connection = this.#byId.get(target.connection)
    return connection ? [connection] : []
  }
}

/** Values by a key that most of them have alone, in the order in which they came: only those who share one cost a set. */
export class Index<V extends object> {
  readonly #entries = new Map<string, V | Set<V>>()

  add(key: string | undefined, value: V): void {
    if (key === undefined) return
    const entry = this.#entries.get(key)
    if (entry === undefined) this.#entries.set(key, value)
    else if (entry instanceof Set) entry.add(value)
    else this.#entries.set(key, new Set([entry, value]))
  }

  remove(key: string | undefined, value: V): void {
    if (key === undefined) return
    const entry = this.#entries.get(key)
    if (entry instanceof Set) entry.delete(value)
    if (entry === value || (entry instanceof Set && entry.size === 0)) this.#entries.delete(key)
  }

  get(key: string | undefined): V[] {
    const entry = key === undefined ? undefined : this.#entries.get(key)
    if (entry === undefined) return []
    return entry instanceof Set ? [...entry] : [entry]
  }
}
