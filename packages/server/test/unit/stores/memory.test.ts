import cluster from 'node:cluster'
import { ConfigurationError, memoryStore, type Places, UnavailableError } from '@sallyport/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { testClock } from '../../support/clock.js'

const ttl = 1_000
const places = (max: number): Places => ({ max, whenFull: 'refuse' })

function smallStore(maxEntries = 2) {
  const clock = testClock()
  return { clock, store: memoryStore({ clock, maxEntries }) }
}

describe('memoryStore', () => {
  it('ends a value at the very millisecond', async () => {
    const { clock, store } = smallStore()
    await store.put('early', 'value', ttl)
    await store.put('late', 'value', ttl)
    clock.advance(ttl - 1)
    expect(await store.take('early')).toBe('value')
    clock.advance(1)
    expect(await store.take('late')).toBeUndefined()
  })

  it('ends a place in a group at the very millisecond', async () => {
    const { clock, store } = smallStore()
    await store.acquire('g', 'a', places(1), ttl)
    clock.advance(ttl - 1)
    expect((await store.acquire('g', 'b', places(1), ttl)).acquired).toBe(false)
    clock.advance(1)
    expect((await store.acquire('g', 'b', places(1), ttl)).acquired).toBe(true)
  })

  it('is unavailable when it is full of values', async () => {
    const { store } = smallStore()
    await store.put('a', '1', ttl)
    await store.put('b', '2', ttl)
    expect(() => store.put('c', '3', ttl)).toThrow(UnavailableError)
    expect(await store.take('a')).toBe('1')
    await store.put('c', '3', ttl)
    expect(await store.take('c')).toBe('3')
  })

  it('is unavailable when it is full of groups, but not to a group that it knows', async () => {
    const { store } = smallStore()
    await store.acquire('a', 'm', places(2), ttl)
    await store.acquire('b', 'm', places(2), ttl)
    await expect(store.acquire('c', 'm', places(2), ttl)).rejects.toThrow(UnavailableError)
    expect((await store.acquire('a', 'n', places(2), ttl)).acquired).toBe(true)
    await store.release('b', 'm')
    expect((await store.acquire('c', 'm', places(2), ttl)).acquired).toBe(true)
  })

  it('makes room by what has expired', async () => {
    const { clock, store } = smallStore()
    for (const key of ['a', 'b']) {
      await store.put(key, 'value', ttl)
      await store.acquire(key, 'm', places(1), ttl)
    }
    clock.advance(ttl)
    await store.put('c', 'value', ttl)
    expect(await store.take('c')).toBe('value')
    expect((await store.acquire('c', 'm', places(1), ttl)).acquired).toBe(true)
  })

  it('lets nothing expired in the way of what is new', async () => {
    const { clock, store } = smallStore()
    await store.put('a', 'old', ttl)
    clock.advance(ttl / 2)
    await store.put('b', 'new', ttl)
    clock.advance(ttl / 2)
    await store.put('c', 'newest', ttl)
    expect(await Promise.all(['a', 'b', 'c'].map(store.take))).toEqual([undefined, 'new', 'newest'])
  })

  it('forgets an entry of the log when its time is over', async () => {
    const { clock, store } = smallStore()
    await store.append('old', ttl)
    clock.advance(1)
    await store.append('new', ttl)
    clock.advance(ttl - 1)
    await store.append('newest', ttl)
    const entries: string[] = []
    store.follow({ maxStaleness: 1_000, onEntry: (entry) => entries.push(entry), entries: () => [] })
    expect(entries).toEqual(['new', 'newest'])
  })

  it('refuses to be the store of a cluster', () => {
    expect(memoryStore).not.toThrow()
    vi.spyOn(cluster, 'isWorker', 'get').mockReturnValue(true)
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    expect(memoryStore).toThrow(ConfigurationError)
  })
})
