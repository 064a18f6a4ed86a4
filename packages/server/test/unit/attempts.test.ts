import { memoryStore } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { Attempts } from '../../src/limits/attempts.js'
import { testClock } from '../support/clock.js'

function setUp(failedAttempts = 3, verificationBudget = 2) {
  const clock = testClock()
  const attempts = new Attempts(clock, { failedAttempts, verificationBudget }, memoryStore({ clock }))
  const address = '192.0.2.1'
  const fail = (count: number, from = address) => {
    for (let i = 0; i < count; i++) attempts.fail(from, `hash ${i}`)
  }
  const ask = (from = address) => attempts.ask(from)
  return { clock, attempts, address, fail, ask }
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

  it('leaves it some verifications a second', () => {
    const { fail, ask, clock } = setUp()
    fail(3)
    for (let second = 0; second < 3; second++) {
      expect([ask(), ask(), ask(), ask()]).toEqual(['limited', 'limited', 'exhausted', 'exhausted'])
      clock.advance(1_000)
    }
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
