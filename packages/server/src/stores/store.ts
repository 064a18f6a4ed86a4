/**
 * What nodes share. Keys and values never hold a credential, only hashes of them.
 *
 * Every operation rejects with `UnavailableError` when the store is down, full or slower than its own deadline.
 */
export interface Store {
  /** Stores `value` under a `key` that nobody used before, for `ttl` milliseconds by the store's clock. */
  put(key: string, value: string, ttl: number): Promise<void>
  /** Returns the value and removes it, in one step: of any number of racers exactly one gets it. */
  take(key: string): Promise<string | undefined>
  /**
   * Adds `member` to `group` for `ttl` milliseconds unless the group already holds `max` live members.
   * Whether it was added; one step under any race.
   */
  acquire(group: string, member: string, max: number, ttl: number): Promise<boolean>
  /** Takes `member` out of `group`. */
  release(group: string, member: string): Promise<void>
}
