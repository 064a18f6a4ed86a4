import type { Store } from '@sallyport/server'
import { beforeEach, describe, expect, it } from 'vitest'

/** An empty store, and a way to let time pass for it. */
export interface StoreUnderTest {
  readonly store: Store
  /** Moves the store's time on by `ms` milliseconds. */
  advance(ms: number): void | Promise<void>
}

const ttl = 1_000
const many = Array.from({ length: 50 }, (_, i) => `m${i}`)

/** What every store does. A new one is done when this is green. */
export function storeContract(name: string, create: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let store: Store
    let advance: StoreUnderTest['advance']

    beforeEach(async () => {
      ;({ store, advance } = await create())
    })

    const acquireAll = (members: string[], max: number) =>
      Promise.all(members.map((member) => store.acquire('g', member, max, ttl)))
    const granted = (answers: boolean[]) => answers.filter(Boolean).length

    describe('put and take', () => {
      it('gives a value back once', async () => {
        await store.put('k', 'value', ttl)
        expect(await store.take('k')).toBe('value')
        expect(await store.take('k')).toBeUndefined()
      })

      it('knows nothing of a key that nobody put', async () => {
        await store.put('k', 'value', ttl)
        expect(await store.take('K')).toBeUndefined()
        expect(await store.take('k')).toBe('value')
      })

      it.each([
        ['empty', ''],
        ['JSON', '{"a":[1,null,"ü"]}'],
        ['beyond the basic plane', '🔑\u0000\r\n'],
        ['large', 'x'.repeat(65_536)],
      ])('gives back exactly what was put: %s', async (_, value) => {
        await store.put('k', value, ttl)
        expect(await store.take('k')).toBe(value)
      })

      it('keeps a value for its time to live, and no longer', async () => {
        await store.put('early', 'value', ttl)
        await store.put('late', 'value', ttl)
        await advance(ttl - 100)
        expect(await store.take('early')).toBe('value')
        await advance(101)
        expect(await store.take('late')).toBeUndefined()
      })

      it('has exactly one winner, however many take at once', async () => {
        for (const key of many.slice(0, 20)) {
          await store.put(key, `value of ${key}`, ttl)
          const takes = await Promise.all(many.map(() => store.take(key)))
          expect(takes.filter((value) => value !== undefined)).toEqual([`value of ${key}`])
        }
      })

      it('takes one key and leaves the others', async () => {
        await store.put('a', '1', ttl)
        await store.put('b', '2', ttl)
        expect(await store.take('a')).toBe('1')
        expect(await store.take('b')).toBe('2')
      })
    })

    describe('acquire and release', () => {
      it('adds members up to the cap', async () => {
        expect(await store.acquire('g', 'a', 2, ttl)).toBe(true)
        expect(await store.acquire('g', 'b', 2, ttl)).toBe(true)
        expect(await store.acquire('g', 'c', 2, ttl)).toBe(false)
      })

      it('never grants more than the cap, however many ask at once', async () => {
        expect(granted(await acquireAll(many, 20))).toBe(20)
        expect(granted(await acquireAll(['late'], 20))).toBe(0)
      })

      it('gives a released place to exactly one of those who ask for it', async () => {
        await acquireAll(['a', 'b'], 2)
        await store.release('g', 'a')
        expect(granted(await acquireAll(many, 2))).toBe(1)
      })

      it('counts a release once', async () => {
        await acquireAll(['a', 'b'], 2)
        await Promise.all([store.release('g', 'a'), store.release('g', 'a')])
        expect(granted(await acquireAll(['c', 'd'], 2))).toBe(1)
      })

      it('lets nobody release a place that is not theirs', async () => {
        await acquireAll(['a'], 1)
        await store.release('g', 'stranger')
        await store.release('other', 'a')
        expect(await store.acquire('g', 'b', 1, ttl)).toBe(false)
        await store.release('g', 'a')
        expect(await store.acquire('g', 'b', 1, ttl)).toBe(true)
      })

      it('frees each place when its own time to live is over', async () => {
        await store.acquire('g', 'first', 2, ttl)
        await advance(ttl / 2)
        await store.acquire('g', 'second', 2, ttl)
        expect(await store.acquire('g', 'third', 2, ttl)).toBe(false)
        await advance(ttl / 2 + 1)
        expect(granted(await acquireAll(['third', 'fourth'], 2))).toBe(1)
      })

      it('does not hold a refused member', async () => {
        await acquireAll(['a'], 1)
        await acquireAll(['b', 'c'], 1)
        await store.release('g', 'a')
        expect(await store.acquire('g', 'd', 1, ttl)).toBe(true)
      })

      it('keeps groups apart', async () => {
        await store.acquire('g', 'a', 1, ttl)
        expect(await store.acquire('other', 'a', 1, ttl)).toBe(true)
        expect(await store.acquire('g', 'b', 1, ttl)).toBe(false)
      })
    })
  })
}
