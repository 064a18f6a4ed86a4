import { memoryStore, type Store } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { Attempts } from '../../../src/limits/attempts.js'
import { testClock } from '../../support/clock.js'
import { live } from '../../support/live.js'
import { recordingStore } from '../../support/recording-store.js'

function setUp(failedAttempts = 3, verificationBudget = 2) {
  const clock = testClock()
  const { store, recorded: told } = recordingStore(memoryStore({ clock }))
  const attempts = new Attempts(clock, { failedAttempts, verificationBudget }, store)
  const address = '192.0.2.1'
  const fail = (count: number, from = address) => {
    for (let i = 0; i < count; i++) attempts.fail(from, `hash ${i}`)
  }
  /** How the address stands, and what becomes of a credential of it that must be verified. */
  const ask = (from = address) => {
    if (!attempts.isLimited(from)) return 'good'
    return attempts.spend(from) ? 'limited' : 'exhausted'
  }
  return { clock, attempts, address, fail, ask, told }
}

describe('Attempts', () => {
  it('limits an address that has presented as many different bad credentials as it may', () => {
    const { fail, ask } = setUp()
    expect(ask()).toBe('good')
    fail(2)
    expect(ask()).toBe('good')
    fail(3)
    expect(ask()).toBe('limited')
  })

  it('counts a bad credential that comes again once', () => {
    const { attempts, address, ask } = setUp()
    for (let i = 0; i < 1_000; i++) attempts.fail(address, 'the same')
    expect(ask()).toBe('good')
  })

  it('tells the store of each different one once, and of none that would change nothing', () => {
    const { fail, told } = setUp()
    fail(2)
    fail(2)
    expect(told).toHaveLength(2)
    fail(100)
    expect(told).toHaveLength(3)
    for (const call of told) expect(call).toMatch(/^count attempts:\d+:\S{43} hash \d 60000$/)
  })

  it('tells the store of a thousand a second at most, from however many addresses', () => {
    const { fail, told, clock, ask } = setUp(1)
    for (let i = 0; i < 2_000; i++) fail(1, `10.0.${i >> 8}.${i & 255}`)
    expect(told).toHaveLength(1_000)
    expect(ask('10.0.7.0')).toBe('limited')
    clock.advance(1_000)
    fail(1)
    expect(told).toHaveLength(1_001)
  })

  it('leaves it some verifications a second', () => {
    const { fail, ask, clock } = setUp()
    fail(3)
    for (let second = 0; second < 3; second++) {
      expect([ask(), ask(), ask(), ask()]).toEqual(['limited', 'limited', 'exhausted', 'exhausted'])
      clock.advance(1_000)
    }
  })

  it('G23 counts no verification that was good', () => {
    const { attempts, address, fail, ask, clock } = setUp()
    fail(3)
    for (let i = 0; i < 10; i++) {
      expect(ask()).toBe('limited')
      attempts.refund(address)
    }
    expect([ask(), ask(), ask()]).toEqual(['limited', 'limited', 'exhausted'])
    // One that took longer gives back what was another second's, which is nobody's by now.
    clock.advance(1_000)
    attempts.refund(address)
    expect([ask(), ask(), ask()]).toEqual(['limited', 'limited', 'exhausted'])
    attempts.refund('192.0.2.2')
    expect(ask('192.0.2.2')).toBe('good')
  })

  it('forgets with the minute', () => {
    const { fail, ask, clock } = setUp()
    fail(3)
    clock.advance(59_999)
    expect(ask()).toBe('limited')
    clock.advance(1)
    expect(ask()).toBe('good')
    fail(2)
    expect(ask()).toBe('good')
  })

  it('knows nothing of other addresses', () => {
    const { fail, ask } = setUp()
    fail(100)
    expect(ask('192.0.2.2')).toBe('good')
    expect(ask('::1')).toBe('good')
  })

  it('takes a /64 of IPv6 for one address', () => {
    const { fail, ask } = setUp()
    fail(3, '2001:db8:0:1::1')
    expect(ask('2001:db8:0:1:ffff::2')).toBe('limited')
    expect(ask('2001:db8:0:2::1')).toBe('good')
  })

  it('G13 remembers ten thousand addresses and no more, those that were seen last', () => {
    const { fail, ask } = setUp(1)
    fail(1, '192.0.2.1')
    for (let i = 0; i < 100_000; i++) {
      fail(1, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
      // Whoever goes on is not forgotten by a flood of others.
      if (i % 1_000 === 0) fail(1, '192.0.2.2')
    }
    expect(ask('192.0.2.1')).toBe('good')
    expect(ask('192.0.2.2')).not.toBe('good')
    const remembered = Array.from({ length: 100_000 }, (_, i) => ask(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`))
    expect(remembered.filter((standing) => standing !== 'good').length).toBeLessThanOrEqual(10_000)
    expect(remembered.at(-1)).toBe('limited')
  })
})

describe('failed attempts on two nodes', () => {
  /** How a node answers bad credentials of one address, each another. */
  async function guess({ connect }: ReturnType<typeof live>, name: string, count: number): Promise<number[]> {
    const answers: number[] = []
    for (let i = 0; i < count; i++) {
      const attempt = connect(`bad-${name}-${i}`, 'header', '192.0.2.1')
      answers.push(
        await attempt.then(
          () => 101,
          ({ status }) => status,
        ),
      )
    }
    return answers
  }
  const nodeOn = (store: Store) => live({ store: () => store })

  it('are ten in all, not ten each', async () => {
    const store = memoryStore({ clock: testClock() })
    const [one, other] = [nodeOn(store), nodeOn(store)]
    expect(await guess(one, 'one', 9)).toEqual(Array(9).fill(401))
    // Each hears of the others in the answer to its own: here the tenth, there the eleventh.
    expect(await guess(other, 'other', 3)).toEqual([401, 429, 429])
    expect(await guess(one, 'more', 3)).toEqual([401, 429, 429])
    await expect(one.connect('bad', 'header', '198.51.100.7')).rejects.toMatchObject({ status: 401 })
    for (const { connect } of [one, other]) await connect({}, 'header', '192.0.2.1')
  })

  it('are ten each while the store does not count, and nothing else changes', async () => {
    const store = { ...memoryStore({ clock: testClock() }), count: () => Promise.reject(new Error('down')) }
    for (const name of ['one', 'other']) {
      const node = nodeOn(store)
      expect(await guess(node, name, 12)).toEqual([...Array(10).fill(401), 429, 429])
      await node.connect({}, 'header', '192.0.2.1')
      expect(new Set(node.reasons())).toEqual(new Set(['credential-unknown', 'attempts']))
    }
  })
})
