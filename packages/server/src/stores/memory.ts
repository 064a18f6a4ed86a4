import type { Cluster } from 'node:cluster'
import { checkedClock, checkedObject } from '../support/checked-kind.js'
import { checkedNumber } from '../support/checked-number.js'
import { type Clock, systemClock } from '../support/clock.js'
import { ConfigurationError } from '../support/errors.js'
import { ExpiringMap } from '../support/expiring-map.js'
import { InMemory } from './in-memory.js'
import type { Follower, Store } from './store.js'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock
  /** How many values, and how many groups, it holds at most. Default 100,000; when full it is unavailable (503). */
  readonly maxEntries?: number
}

/**
 * The store of a single process.
 *
 * @throws ConfigurationError in a worker of `node:cluster`, whose siblings could not see its tickets, in a Worker
 *   of Cloudflare, and when `maxEntries` is no number above zero.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  checkedObject('memoryStore', 'options', options, '{ maxEntries }, or leave it out')
  const { clock = systemClock, maxEntries = 100_000 } = options
  checkedNumber('memoryStore', 'maxEntries', maxEntries, 1)
  checkedClock('memoryStore', clock)
  // Asked for and not imported: not every runtime has it. What is declared of it is the namespace, and not what comes.
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster | undefined
  if (cluster?.isWorker) {
    throw new ConfigurationError(
      'memory-store-workers',
      'memoryStore holds the tickets of one process, and this is one of several workers: use clusterStore',
    )
  }
  const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: string } }
  if (navigator?.userAgent === 'Cloudflare-Workers') {
    throw new ConfigurationError(
      'memory-store-workers',
      'memoryStore holds the tickets of one process, and a Worker runs in many: use objectStore of @sallyport/server/durable-objects',
    )
  }
  const held = new InMemory(clock, maxEntries)
  const log = new ExpiringMap<string, true>(clock.now)
  const followers = new Set<Follower>()

  return {
    put(key, value, ttl) {
      held.put(key, value, ttl)
    },
    take: (key) => held.take(key),
    async count(key, member, ttl) {
      return held.count(key, member, ttl)
    },
    async acquire(group, member, places, ttl) {
      return held.acquire(group, member, places, ttl)
    },
    async release(group, member) {
      held.release(group, member)
    },
    async append(entry, ttl) {
      log.set(entry, true, clock.now() + ttl)
      for (const follower of followers) follower.onEntry(entry)
      return { confirmed: followers.size, followers: followers.size }
    },
    follow(follower) {
      followers.add(follower)
      for (const [entry] of log) follower.onEntry(entry)
      return {
        currentAt: Number.POSITIVE_INFINITY,
        get time() {
          const now = clock.now()
          return { earliest: now, latest: now }
        },
        async ask(question) {
          const others = [...followers].filter((other) => other !== follower)
          return others.flatMap((other) => other.onQuestion?.(question) ?? [])
        },
        async stop() {
          followers.delete(follower)
        },
      }
    },
  }
}
