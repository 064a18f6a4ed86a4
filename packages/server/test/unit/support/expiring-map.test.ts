import { describe, expect, it } from 'vitest'
import { ExpiringMap } from '../../../src/support/expiring-map.js'
import { testClock } from '../../support/clock.js'
import { stepsOf } from '../../support/steps.js'

const life = 1_000

describe('ExpiringMap', () => {
  it('has what was put until its end, in order', () => {
    const clock = testClock()
    const map = new ExpiringMap<string, number>(clock.now)
    map.set('a', 1, clock.now() + life)
    map.set('b', 2, clock.now() + 2 * life)
    map.set('c', 3, clock.now() + life)
    // Put again, it is the newest.
    map.set('a', 4, clock.now() + life)
    expect([...map]).toEqual([
      ['b', 2],
      ['c', 3],
      ['a', 4],
    ])
    clock.advance(life - 1)
    expect([map.get('a'), map.get('b'), map.get('none')]).toEqual([4, 2, undefined])
    clock.advance(1)
    expect([map.get('a'), map.get('b')]).toEqual([undefined, 2])
    expect([...map]).toEqual([['b', 2]])
  })

  it('F37 holds no more than twice what is not over, whatever the ends are', () => {
    const clock = testClock()
    const map = new ExpiringMap<number, number>(clock.now)
    map.set(-1, 0, clock.now() + 1_000 * life)
    let most = 0
    for (let i = 0; i < 10_000; i++) {
      clock.advance(10)
      // 100 with a short life are there at any time, and one in ten that lives ten times as long.
      map.set(i, i, clock.now() + (i % 10 === 0 ? 10 * life : life))
      most = Math.max(most, map.size)
    }
    expect(most).toBeLessThanOrEqual(2 * (1 + 90 + 100) + 64)
    expect(map.get(-1)).toBe(0)
  })

  it('F37 takes as many steps for an entry, however many there are', () => {
    const clock = testClock()
    const map = new ExpiringMap<number, number>(clock.now)
    const add = (from: number, to: number) => {
      for (let i = from; i < to; i++) map.set(i, i, clock.now() + life)
    }
    expect(stepsOf(() => add(0, 1_000))).toBeLessThan(3 * 1_000)
    expect(stepsOf(() => add(1_000, 30_000))).toBeLessThan(3 * 29_000)
    expect(map.size).toBe(30_000)
  })
})
