import type { Extended, ObjectBase, ObjectState, OpenBase } from '../../support/cloudflare.js'
import { dropEnded, takePlace } from '../groups.js'
import type { Acquired, Appended, Places } from '../store.js'
import { LogTable, type Look, type Looked } from './log-table.js'

/** A value with the end of its time. */
interface Ending<T> {
  readonly value: T
  readonly end: number
}

// One object holds one thing, so that it needs one key.
const only = 'only'

/** What the store's objects do for those who call them. */
export interface StoreCalls {
  put(value: unknown, ttl: number): Promise<void>
  take(): Promise<unknown>
  count(member: string, ttl: number): Promise<number>
  acquire(member: string, places: Places, ttl: number): Promise<Acquired>
  release(member: string): Promise<void>
  append(entry: string, ttl: number): Promise<Appended>
  /** A look of a follower into the log: what it has heard, and what is new to it. */
  look(look: Look): Promise<Looked>
  ask(follower: string, question: string, most: number): Promise<readonly string[]>
  /** Counts a follower no more. */
  leave(follower: string): Promise<void>
}

/**
 * The class of the objects that {@link objectStore} keeps things in: one for each ticket, for each set that is counted and
 * each group of connections, and one for the log. Nothing of an object runs beside another method of it, so that each is one
 * step. Export it from your Worker, and bind a namespace to it, with SQLite as its storage.
 *
 * ```ts
 * export class Sallyport extends storeObject(DurableObject) {}
 * ```
 *
 * @param now the time, in milliseconds since the epoch; default: the runtime's
 */
export function storeObject<B extends ObjectBase>(Base: B, now: () => number = Date.now): Extended<B, StoreCalls> {
  return class extends (Base as unknown as OpenBase) {
    readonly #object: StoredThing

    constructor(ctx: ObjectState, env: object) {
      super(ctx, env)
      this.#object = new StoredThing(ctx, env, now)
    }

    put(value: unknown, ttl: number) {
      return this.#object.put(value, ttl)
    }
    take() {
      return this.#object.take()
    }
    count(member: string, ttl: number) {
      return this.#object.count(member, ttl)
    }
    acquire(member: string, places: Places, ttl: number) {
      return this.#object.acquire(member, places, ttl)
    }
    release(member: string) {
      return this.#object.release(member)
    }
    append(entry: string, ttl: number) {
      return this.#object.log.append(entry, ttl)
    }
    async look(look: Look) {
      return this.#object.log.look(look)
    }
    ask(follower: string, question: string, most: number) {
      return this.#object.log.ask(follower, question, most)
    }
    async leave(follower: string) {
      this.#object.log.leave(follower)
    }
    alarm() {
      return this.#object.alarm()
    }
  } as unknown as Extended<B, StoreCalls>
}

/** What one object holds. */
class StoredThing {
  readonly #ctx: ObjectState
  readonly #env: object
  readonly #now: () => number
  #log: LogTable | undefined

  constructor(ctx: ObjectState, env: object, now: () => number) {
    this.#ctx = ctx
    this.#env = env
    this.#now = now
  }

  /** @see Store.put */
  async put(value: unknown, ttl: number): Promise<void> {
    await this.#keep(value, this.#now() + ttl)
  }

  /** @see Store.take */
  async take(): Promise<unknown> {
    const value = this.#read()
    if (this.#ctx.storage.kv.delete(only)) await this.#vanish()
    return value
  }

  /** @see Store.count */
  async count(member: string, ttl: number): Promise<number> {
    const set = this.#read<Set<string>>() ?? new Set()
    const isFirst = set.size === 0
    set.add(member)
    await this.#keep(set, isFirst ? this.#now() + ttl : this.#end)
    return set.size
  }

  /** @see Store.acquire */
  async acquire(member: string, places: Places, ttl: number): Promise<Acquired> {
    const members = this.#read<Map<string, number>>() ?? new Map<string, number>()
    dropEnded(members, this.#now())
    const acquired = takePlace(members, member, places, this.#now() + ttl)
    await this.#keep(members, Math.max(...members.values()))
    return acquired
  }

  /** @see Store.release */
  async release(member: string): Promise<void> {
    const members = this.#read<Map<string, number>>()
    if (!members?.delete(member)) return
    if (members.size > 0) await this.#keep(members, this.#end)
    else await this.#vanish()
  }

  /** Deletes what is over, or tells again those who did not hear. */
  async alarm(): Promise<void> {
    const kept = this.#ctx.storage.kv.get<Ending<unknown>>(only)
    if (!kept) await this.log.tell()
    else if (kept.end <= this.#now()) await this.#vanish()
    else await this.#ctx.storage.setAlarm(Date.now() + kept.end - this.#now())
  }

  /** The log, where this object is that. */
  get log(): LogTable {
    this.#log ??= new LogTable(this.#ctx.storage, this.#env, this.#now)
    return this.#log
  }

  get #end(): number {
    return this.#ctx.storage.kv.get<Ending<unknown>>(only)?.end ?? 0
  }

  #read<T>(): T | undefined {
    const kept = this.#ctx.storage.kv.get<Ending<T>>(only)
    return kept && kept.end > this.#now() ? kept.value : undefined
  }

  /** Leaves nothing behind: an object without storage does not exist. */
  async #vanish(): Promise<void> {
    await this.#ctx.storage.deleteAlarm()
    await this.#ctx.storage.deleteAll()
  }

  async #keep(value: unknown, end: number): Promise<void> {
    const { storage } = this.#ctx
    const isLater = this.#end < end
    storage.kv.put(only, { value, end })
    if (isLater) await storage.setAlarm(Date.now() + end - this.#now())
  }
}
