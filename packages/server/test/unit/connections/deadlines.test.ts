import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deadlines, type Scheduled } from '../../../src/connections/deadlines.js'
import { testClock } from '../../support/clock.js'

interface Item extends Scheduled {
  readonly name: string
}

const item = (name: string): Item => ({ name, slot: undefined, slotPlace: 0 })

function setUp(start?: number) {
  const clock = testClock(start)
  const due: string[] = []
  const deadlines = new Deadlines<Item>(clock, ({ name }) => due.push(name))
  return { clock, due, deadlines }
}

describe('Deadlines', () => {
  it('lets things fall due when it is time, each once', () => {
    const { clock, due, deadlines } = setUp()
    const now = clock.now()
    for (const [name, ms] of [
      ['b', 2_000],
      ['a', 1_000],
      ['c', 2_000],
      ['late', 60_000],
    ] as const) {
      deadlines.set(item(name), now + ms)
    }
    clock.advance(999)
    expect(due).toEqual([])
    clock.advance(1)
    expect(due).toEqual(['a'])
    clock.advance(1_000)
    expect(due).toEqual(['a', 'b', 'c'])
    clock.advance(57_999)
    expect(due).toHaveLength(3)
    clock.advance(1)
    expect(due.at(-1)).toBe('late')
    clock.advance(100_000)
    expect(due).toHaveLength(4)
  })

  it('knows the last time that was set, and nothing of what was taken off', () => {
    const { clock, due, deadlines } = setUp()
    const [moved, gone] = [item('moved'), item('gone')]
    deadlines.set(moved, clock.now() + 1_000)
    deadlines.set(gone, clock.now() + 1_000)
    deadlines.set(moved, clock.now() + 5_000)
    deadlines.delete(gone)
    deadlines.delete(gone)
    clock.advance(4_999)
    expect(due).toEqual([])
    clock.advance(1)
    expect(due).toEqual(['moved'])
  })

  it('has one timer for any number of things, and none for none', () => {
    const { clock, deadlines } = setUp()
    const items = Array.from({ length: 1_000 }, (_, i) => item(String(i)))
    for (const [i, one] of items.entries()) deadlines.set(one, clock.now() + 1_000 * (i + 1))
    expect(clock.pending).toBe(1)
    for (const one of items.slice(0, 500)) deadlines.delete(one)
    expect(clock.pending).toBe(1)
    clock.advance(2_000_000)
    expect(clock.pending).toBe(0)
  })

  it('lets what is due set itself again', () => {
    const clock = testClock()
    const start = clock.now()
    const due: number[] = []
    const deadlines = new Deadlines<Item>(clock, (one) => {
      due.push(clock.now() - start)
      if (due.length < 3) deadlines.set(one, clock.now() + 1_500)
    })
    deadlines.set(item('a'), start + 1_500)
    clock.advance(60_000)
    expect(due).toEqual([2_000, 4_000, 6_000])
    expect(clock.pending).toBe(0)
  })

  it('lets what falls due take something else off in the same second', () => {
    const clock = testClock()
    const due: string[] = []
    const [a, b] = [item('a'), item('b')]
    const deadlines = new Deadlines<Item>(clock, ({ name }) => {
      due.push(name)
      deadlines.delete(name === 'a' ? b : a)
    })
    for (const one of [a, b]) deadlines.set(one, clock.now() + 1_000)
    clock.advance(10_000)
    expect(due).toEqual(['a'])
  })

  it.each([
    ['30 days', 30 * 24 * 60 * 60 * 1_000],
    ['more than a timer can wait', 2 ** 31],
    ['a number that is hardly one', 1e300],
    ['for ever', Number.POSITIVE_INFINITY],
  ])('F08 asks for no timer of more than a second: %s', (_, ms) => {
    const waits: number[] = []
    const due: string[] = []
    let time = Date.UTC(2026, 0, 1)
    let tick = () => {}
    const after = (ms: number, callback: () => void) => {
      waits.push(ms)
      tick = callback
      return () => {}
    }
    const deadlines = new Deadlines<Item>({ now: () => time, after }, ({ name }) => due.push(name))
    deadlines.set(item('far'), time + ms)
    for (let i = 0; i < 10; i++) {
      time += 1_000
      tick()
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000)
    expect(due).toEqual([])
    // The process was suspended, or the clock was set: the next tick finds what is due by now.
    time += Math.min(ms, 2 ** 40)
    tick()
    expect(due).toEqual(ms < 2 ** 40 ? ['far'] : [])
  })

  it('is never early and never more than a second late, whatever is set when', () => {
    const step = fc.record({
      wait: fc.nat(3_000),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      at: fc.option(fc.nat(5_000)),
    })
    fc.assert(
      fc.property(fc.nat(999), fc.array(step, { maxLength: 30 }), (phase, steps) => {
        const clock = testClock(Date.UTC(2026, 0, 1) + phase)
        const expected = new Map<string, number>()
        const deadlines = new Deadlines<Item>(clock, ({ name }) => {
          const late = clock.now() - expected.get(name)!
          expect(late).toBeGreaterThanOrEqual(0)
          expect(late).toBeLessThanOrEqual(1_000)
          expected.delete(name)
        })
        const items = new Map(['a', 'b', 'c', 'd'].map((name) => [name, item(name)]))
        for (const { wait, name, at } of steps) {
          clock.advance(wait)
          if (at === null) {
            deadlines.delete(items.get(name)!)
            expected.delete(name)
          } else {
            deadlines.set(items.get(name)!, clock.now() + at)
            expected.set(name, clock.now() + at)
          }
        }
        clock.advance(10_000)
        expect([...expected]).toEqual([])
        expect(clock.pending).toBe(0)
      }),
    )
  })
})
