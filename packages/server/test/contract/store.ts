import type { Follower, Following, Store } from '@sallyport/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { followerOf } from '../support/follower.js'

/** An empty store, and a way to let time pass for it. */
export interface StoreUnderTest {
  readonly store: Store
  /** Moves the store's time on by `ms` milliseconds. */
  advance(ms: number): void | Promise<void>
}

/** A life that a test waits for. */
const short = 1_000
/** A life that no test outlives, however slow the machine is. */
const long = 60_000
const many = Array.from({ length: 50 }, (_, i) => `m${i}`)

/** What every store does. A new one is done when this is green. */
export function storeContract(name: string, create: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let store: Store
    let advance: StoreUnderTest['advance']

    beforeEach(async () => {
      ;({ store, advance } = await create())
    })

    const followers: Following[] = []
    const follow = (onQuestion?: Follower['onQuestion']) => {
      const follower = followerOf(store, [], 60_000, onQuestion)
      followers.push(follower.following)
      return follower
    }
    afterEach(async () => {
      for (const following of followers.splice(0)) await following.stop()
    })

    const acquire = async (group: string, member: string, max: number, ttl = long) =>
      (await store.acquire(group, member, { max, whenFull: 'refuse' }, ttl)).acquired
    const acquireAll = (members: string[], max: number) =>
      Promise.all(members.map((member) => acquire('g', member, max)))
    const granted = (answers: boolean[]) => answers.filter(Boolean).length

    describe('put and take', () => {
      it('gives a value back once', async () => {
        await store.put('k', 'value', long)
        expect(await store.take('k')).toBe('value')
        expect(await store.take('k')).toBeUndefined()
      })

      it('knows nothing of a key that nobody put', async () => {
        await store.put('k', 'value', long)
        expect(await store.take('K')).toBeUndefined()
        expect(await store.take('k')).toBe('value')
      })

      it.each([
        ['empty', ''],
        ['JSON', '{"a":[1,null,"ü"]}'],
        ['beyond the basic plane', '🔑\u0000\r\n'],
        ['large', 'x'.repeat(65_536)],
      ])('gives back exactly what was put: %s', async (_, value) => {
        await store.put('k', value, long)
        expect(await store.take('k')).toBe(value)
      })

      it('keeps a value for its time to live, and no longer', async () => {
        await store.put('long', 'value', long)
        await store.put('short', 'value', short)
        await advance(short + 1)
        expect(await store.take('long')).toBe('value')
        expect(await store.take('short')).toBeUndefined()
      })

      it('has exactly one winner, however many take at once', async () => {
        for (const key of many.slice(0, 20)) {
          await store.put(key, `value of ${key}`, long)
          const takes = await Promise.all(many.map(() => store.take(key)))
          expect(takes.filter((value) => value !== undefined)).toEqual([`value of ${key}`])
        }
      })

      it('takes one key and leaves the others', async () => {
        await store.put('a', '1', long)
        await store.put('b', '2', long)
        expect(await store.take('a')).toBe('1')
        expect(await store.take('b')).toBe('2')
      })
    })

    describe('acquire and release', () => {
      it('adds members up to the cap', async () => {
        expect(await acquire('g', 'a', 2)).toBe(true)
        expect(await acquire('g', 'b', 2)).toBe(true)
        expect(await acquire('g', 'c', 2)).toBe(false)
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
        expect(await acquire('g', 'b', 1)).toBe(false)
        await store.release('g', 'a')
        expect(await acquire('g', 'b', 1)).toBe(true)
      })

      it('frees each place when its own time to live is over', async () => {
        await acquire('g', 'first', 2, short)
        await acquire('g', 'second', 2)
        await advance(short + 1)
        expect(granted(await acquireAll(['third', 'fourth'], 2))).toBe(1)
      })

      it('does not hold a refused member', async () => {
        await acquireAll(['a'], 1)
        await acquireAll(['b', 'c'], 1)
        await store.release('g', 'a')
        expect(await acquire('g', 'd', 1)).toBe(true)
      })

      it('keeps groups apart', async () => {
        await acquire('g', 'a', 1)
        expect(await acquire('other', 'a', 1)).toBe(true)
        expect(await acquire('g', 'b', 1)).toBe(false)
      })

      it('keeps the place of a member that asks again so much longer', async () => {
        await acquire('g', 'a', 2, short)
        await acquire('g', 'b', 2, short)
        expect(await acquire('g', 'a', 2)).toBe(true)
        await advance(short + 1)
        expect(granted(await acquireAll(['c', 'd'], 2))).toBe(1)
      })

      it('gives a new member the place of the one that came first, where they are replaced', async () => {
        const replace = (member: string, max: number) => store.acquire('g', member, { max, whenFull: 'replace' }, long)
        for (const member of ['b', 'a', 'c']) expect(await replace(member, 3)).toEqual({ acquired: true, replaced: [] })
        // To be renewed is not to come anew.
        expect(await replace('b', 3)).toEqual({ acquired: true, replaced: [] })
        expect(await replace('d', 3)).toEqual({ acquired: true, replaced: ['b'] })
        expect(await replace('e', 2)).toEqual({ acquired: true, replaced: ['a', 'c'] })
      })

      it('replaces as many as are too many, however many come at once', async () => {
        const answers = await Promise.all(
          many.map((member) => store.acquire('g', member, { max: 5, whenFull: 'replace' }, long)),
        )
        const replaced = answers.flatMap((answer) => answer.replaced)
        expect(answers.every(({ acquired }) => acquired)).toBe(true)
        expect(new Set(replaced).size).toBe(many.length - 5)
        expect(replaced).toHaveLength(many.length - 5)
      })
    })

    describe('count', () => {
      it('counts different members, and each once', async () => {
        expect(await store.count('k', 'a', long)).toBe(1)
        expect(await store.count('k', 'b', long)).toBe(2)
        expect(await store.count('k', 'a', long)).toBe(2)
        expect(await store.count('other', 'a', long)).toBe(1)
      })

      it('loses none of those that come at once', async () => {
        const counts = await Promise.all(many.map((member) => store.count('k', member, long)))
        expect(Math.max(...counts)).toBe(many.length)
      })

      it('begins anew when the time is over that began with the first', async () => {
        const window = 4 * short
        await store.count('k', 'a', window)
        await advance(window / 2)
        expect(await store.count('k', 'b', window)).toBe(2)
        await advance(window / 2 + 1)
        expect(await store.count('k', 'c', window)).toBe(1)
      })
    })

    describe('append and follow', () => {
      const keep = 60_000

      it('gives a follower what was appended before it came, and then what comes, in order', async () => {
        await store.append('1', keep)
        await store.append('2', keep)
        const follower = follow()
        await follower.has('2')
        await store.append('3', keep)
        await follower.has('3')
        expect(follower.entries).toEqual(['1', '2', '3'])
      })

      it('gives every follower every entry, and says how many have it', async () => {
        const [one, other] = [follow(), follow()]
        await Promise.all([one.current(), other.current()])
        expect(await store.append('1', keep)).toEqual({ confirmed: 2, followers: 2 })
        expect([one.entries, other.entries]).toEqual([['1'], ['1']])
      })

      it('gives one who has stopped nothing, and counts them no more', async () => {
        const [one, other] = [follow(), follow()]
        await Promise.all([one.current(), other.current()])
        await other.stop()
        expect(await store.append('1', keep)).toEqual({ confirmed: 1, followers: 1 })
        expect([one.entries, other.entries]).toEqual([['1'], []])
      })

      it('loses none of many that are appended at once', async () => {
        const follower = follow()
        await follower.current()
        await Promise.all(many.map((entry) => store.append(entry, keep)))
        expect([...follower.entries].sort()).toEqual([...many].sort())
      })

      it.each([
        ['JSON', '{"a":[1,null,"ü"]}'],
        ['beyond the basic plane', '🔑\u0000\r\n'],
      ])('gives back exactly what was appended: %s', async (_, entry) => {
        const follower = follow()
        await store.append(entry, keep)
        await follower.has(entry)
      })

      it('asks the other followers, and gathers what they answer', async () => {
        const answers = ['one', 'ü🔑\u0000\r\n', undefined]
        const asker = follow()
        const others = answers.map((answer) => follow((question) => answer && `${answer} ${question}`))
        await Promise.all([asker, ...others].map((each) => each.current()))
        const question = '{"a":[1,null,"ü"]}\nand more'
        const gathered = await asker.following.ask(question, Number.POSITIVE_INFINITY)
        expect([...gathered].sort()).toEqual([`one ${question}`, `ü🔑\u0000\r\n ${question}`])
        expect(others.map(({ questions }) => questions)).toEqual([[question], [question], [question]])
        expect(asker.questions).toEqual([])
        // And it is over.
        expect(await asker.following.ask('other', Number.POSITIVE_INFINITY)).toHaveLength(2)
      })

      it('keeps nothing that was asked for one who comes later, and asks none who has stopped', async () => {
        const [asker, other] = [follow(), follow(() => 'other')]
        await Promise.all([asker.current(), other.current()])
        await other.stop()
        expect(await asker.following.ask('1', Number.POSITIVE_INFINITY)).toEqual([])
        const late = follow()
        await late.current()
        expect(late.entries).toEqual([])
      })

      it('waits for no more answers than are wanted, and for none when none is', async () => {
        const [asker, other] = [follow(), follow(() => 'yes')]
        await Promise.all([asker.current(), other.current()])
        expect(await asker.following.ask('1', 1)).toEqual(['yes'])
        await asker.following.ask('2', 0)
        // What is asked afterwards is heard afterwards.
        expect(await asker.following.ask('3', 1)).toEqual(['yes'])
        expect(other.questions).toEqual(['1', '2', '3'])
      })

      it('tells its time within bounds', async () => {
        const follower = follow()
        await follower.current()
        const { earliest, latest } = follower.following.time
        expect(earliest).toBeLessThanOrEqual(latest)
        expect(latest - earliest).toBeLessThan(500)
      })
    })
  })
}
