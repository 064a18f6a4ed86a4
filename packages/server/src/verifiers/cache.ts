import { LRUCache } from 'lru-cache'

/** Answers about credentials, kept for a while. */
export interface Cache<V> {
  /** The value under `key`, unless its end has come. */
  get(key: string, now: number): V | undefined
  /** Keeps `value` until `until`, in milliseconds since the epoch, or until the space is needed. */
  set(key: string, value: V, until: number): void
}

/**
 * A cache of at most `max` entries, 0 for none; the one used longest ago gives way. Keys are hashes of whole credentials,
 * so that no part of a credential decides, and none is kept.
 */
export function createCache<V extends object>(max: number): Cache<V> {
  if (max === 0) return { get: () => undefined, set() {} }
  const entries = new LRUCache<string, { value: V; until: number }>({ max })
  return {
    get(key, now) {
      const entry = entries.get(key)
      if (!entry || now < entry.until) return entry?.value
      entries.delete(key)
      return undefined
    },
    set(key, value, until) {
      entries.set(key, { value, until })
    },
  }
}
