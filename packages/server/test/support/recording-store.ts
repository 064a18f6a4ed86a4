import type { Store } from '@sallyport/server'

/** A store, and everything that it was ever told, one call a line. */
export function recordingStore(store: Store): { store: Store; recorded: string[] } {
  const recorded: string[] = []
  const record = (...call: unknown[]) => recorded.push(call.join(' '))
  return {
    recorded,
    store: {
      put(key, value, ttl) {
        record('put', key, value, ttl)
        return store.put(key, value, ttl)
      },
      take(key) {
        record('take', key)
        return store.take(key)
      },
      acquire(group, member, max, ttl) {
        record('acquire', group, member, max, ttl)
        return store.acquire(group, member, max, ttl)
      },
      release(group, member) {
        record('release', group, member)
        return store.release(group, member)
      },
    },
  }
}
