import cluster from 'node:cluster'
import { type Clock, systemClock } from '../clock.js'
import { ConfigurationError, UnavailableError } from '../errors.js'
import type { Store } from './store.js'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  readonly clock?: Clock
  /** How many values, and how many groups, it holds at most. Default 100,000; when full it is unavailable (503). */
  readonly maxEntries?: number
}

/**
 * The store of a single process.
 *
 * @throws ConfigurationError in a worker of `node:cluster`, whose siblings could not see its tickets.
 */
export function memoryStore({ clock = systemClock, maxEntries = 100_000 }: MemoryStoreOptions = {}): Store {
  if (cluster.isWorker) {
    throw new ConfigurationError(
      'memoryStore holds the tickets of one process, and this is one of several workers: use a shared store',
    )
  }
  const values = new Map<string, { readonly value: string; readonly expiresAt: number }>()
  const groups = new Map<string, Map<string, number>>()

  function makeRoom(): void {
    const now = clock.now()
    for (const [key, { expiresAt }] of values) if (expiresAt <= now) values.delete(key)
    for (const [group, members] of groups) if (live(members, now).size === 0) groups.delete(group)
    if (values.size >= maxEntries || groups.size >= maxEntries) throw new UnavailableError('the memory store is full')
  }

  return {
    async put(key, value, ttl) {
      if (values.size >= maxEntries) makeRoom()
      values.set(key, { value, expiresAt: clock.now() + ttl })
    },
    async take(key) {
      const entry = values.get(key)
      values.delete(key)
      return entry && entry.expiresAt > clock.now() ? entry.value : undefined
    },
    async acquire(group, member, max, ttl) {
      if (groups.size >= maxEntries && !groups.has(group)) makeRoom()
      const now = clock.now()
      const members = live(groups.get(group) ?? new Map<string, number>(), now)
      if (members.size >= max) return false
      groups.set(group, members.set(member, now + ttl))
      return true
    },
    async release(group, member) {
      const members = groups.get(group)
      members?.delete(member)
      if (members?.size === 0) groups.delete(group)
    },
  }
}

function live(members: Map<string, number>, now: number): Map<string, number> {
  for (const [member, expiresAt] of members) if (expiresAt <= now) members.delete(member)
  return members
}
