import type { Store } from '@sallyport/server'

/** A store, and everything that it was ever told, one call a line. */
export function recordingStore(store: Store): { store: Store; recorded: string[] } {
  const recorded: string[] = []
  const record = (...call: unknown[]) => recorded.push(call.join(' '))
  return {
    recorded,
    store: {
      put(key, value, ttl) {
        record('put', key, JSON.stringify(value), ttl)
        return store.put(key, value, ttl)
      },
      take(key) {
        record('take', key)
        return store.take(key)
      },
      count(key, member, ttl) {
        record('count', key, member, ttl)
        return store.count(key, member, ttl)
      },
      acquire(group, member, places, ttl) {
        record('acquire', group, member, places.max, places.whenFull, ttl)
        return store.acquire(group, member, places, ttl)
      },
      release(group, member) {
        record('release', group, member)
        return store.release(group, member)
      },
      append(entry, ttl) {
        record('append', entry, ttl)
        return store.append(entry, ttl)
      },
      follow: (follower) => store.follow(follower),
    },
  }
}
