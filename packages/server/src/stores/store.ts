/**
 * What nodes share. Keys and values never hold a credential, only hashes of them.
 *
 * Every operation throws `UnavailableError`, or rejects with it, when the store is down, full or slower than its own
 * deadline.
 */
export interface Store {
  /**
   * Stores `value` under a `key` that nobody used before, for `ttl` milliseconds by the store's clock. A value is plain data,
   * which JSON (RFC 8259) says as it is: a store of one process may keep it, others write it down.
   */
  put(key: string, value: unknown, ttl: number): void | Promise<void>
  /**
   * Returns the value, or a promise of it, and removes it, in one step: of any number of racers exactly one gets it, all
   * others `undefined`.
   */
  take(key: string): unknown
  /**
   * Adds `member` to the set under `key`, which lives for `ttl` milliseconds from its first member on. How many different
   * members it has.
   */
  count(key: string, member: string, ttl: number): Promise<number>
  /**
   * Gives `member` one of the places of `group` for `ttl` milliseconds; one that has a place already keeps it so much
   * longer. One step under any race.
   */
  acquire(group: string, member: string, places: Places, ttl: number): Promise<Acquired>
  /** Takes `member` out of `group`. */
  release(group: string, member: string): Promise<void>
  /**
   * Appends an entry to the log that all nodes follow, and keeps it for `ttl` milliseconds at least. Resolves when every
   * follower has it, or after a second.
   */
  append(entry: string, ttl: number): Promise<Appended>
  /** Follows the log, from the first entry that it still has. */
  follow(follower: Follower): Following
}

/** How many members a group may have, and what becomes of one more. */
export interface Places {
  /** 1 at least. */
  readonly max: number
  /** `refuse`: it gets no place; `replace`: the one that came first loses its own. */
  readonly whenFull: 'refuse' | 'replace'
}

/** Whether there was a place, and who lost theirs for it. */
export interface Acquired {
  readonly acquired: boolean
  /** The members that lost their places, the oldest first; empty unless `whenFull` is `replace`. */
  readonly replaced: readonly string[]
}

/** How far an entry of the log has come. */
export interface Appended {
  /** How many followers have it. */
  readonly confirmed: number
  /** How many there are, those among them that are silent and may still go on by what they know. */
  readonly followers: number
}

/** Who follows the log. */
export interface Follower {
  /** How long it goes on by what it knows without news, in milliseconds: as long, it counts among the followers. */
  readonly maxStaleness: number
  /** Takes an entry. Each comes at least once, and nothing is lost in between, whatever happens to the store meanwhile. */
  onEntry(entry: string): void
  /** What the log must hold, asked when the store may have lost some of it. */
  entries(): Iterable<readonly [entry: string, ttl: number]>
  /** Hears what another follower asks, once in most cases, and may answer. */
  onQuestion?(question: string): string | undefined
  /** Told after each look at a store that may be out of reach. A store that never is need not call it. */
  onLook?(): void
}

/** A place in the log. */
export interface Following {
  /**
   * When the follower last had every entry, in milliseconds by its node's clock: `undefined` before the first time, and
   * infinity where it always has.
   */
  readonly currentAt: number | undefined
  /** Between which times the store's own clock stands now, in milliseconds since the epoch. */
  readonly time: { readonly earliest: number; readonly latest: number }
  /**
   * Asks the other followers. Answers what they said, as soon as there are `most` answers (0: at once), or all of them have
   * heard it that do not seem to be dead, or after a second. Nothing of it is kept, and who is out of reach never hears it.
   */
  ask(question: string, most: number): Promise<readonly string[]>
  /**
   * Looks for what is new, and resolves when it is here. There where the store does not look by itself, because its runtime
   * does nothing in the background: who decides looks first.
   */
  look?(): Promise<void>
  /** Stops following, and leaves the followers at once. */
  stop(): Promise<void>
}

/**
 * How well a guard knows what the store holds: `current`; `stale`, when it has been out of reach for two seconds, and what
 * is known is used as it is; `unavailable`, when that has lasted for `life.maxStaleness`, or nothing is known yet.
 */
export type StoreState = 'current' | 'stale' | 'unavailable'
