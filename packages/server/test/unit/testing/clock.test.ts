import { testClock } from '@sallyport/server/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** A clock, and a note of each timer that fired: its name and when. */
function setUp() {
  const clock = testClock()
  const start = clock.now()
  const fired: [name: string, ms: number][] = []
  const after = (ms: number, name = String(ms)) => clock.after(ms, () => fired.push([name, clock.now() - start]))
  return { clock, start, fired, after }
}

describe('testClock', () => {
  it('stands still until it is told', () => {
    const { clock, start } = setUp()
    expect(start).toBe(Date.UTC(2026, 0, 1))
    expect(clock.now()).toBe(start)
    clock.advance(1_234)
    expect(clock.now()).toBe(start + 1_234)
  })

  it('starts when it is told', () => {
    expect(testClock(42).now()).toBe(42)
  })

  it('runs what falls due, at its own time and in its order', () => {
    const { clock, fired, after, start } = setUp()
    after(30)
    after(10, 'first of two')
    after(10, 'second of two')
    after(40)
    clock.advance(30)
    expect(fired).toEqual([
      ['first of two', 10],
      ['second of two', 10],
      ['30', 30],
    ])
    expect(clock.now()).toBe(start + 30)
    expect(clock.pending).toBe(1)
  })

  it('runs what is set on the way, too', () => {
    const { clock, fired, after, start } = setUp()
    const again = () => {
      fired.push(['tick', clock.now() - start])
      clock.after(10, again)
    }
    clock.after(10, again)
    after(25)
    clock.advance(35)
    expect(fired).toEqual([
      ['tick', 10],
      ['tick', 20],
      ['25', 25],
      ['tick', 30],
    ])
  })

  it('runs nothing that was cancelled', () => {
    const { clock, fired, after } = setUp()
    const cancel = after(10, 'cancelled')
    after(10, 'kept')
    clock.after(5, cancel)
    clock.advance(20)
    cancel()
    expect(fired.map(([name]) => name)).toEqual(['kept'])
    expect(clock.pending).toBe(0)
  })

  it('runs what is due at once only when it is told to go on', () => {
    const { clock, fired, after } = setUp()
    after(0)
    expect(fired).toEqual([])
    clock.advance(0)
    expect(fired).toEqual([['0', 0]])
  })

  it('comes to the same, in one step or in many', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.array(fc.nat(20), { minLength: 1 }), (timers, steps) => {
        const [one, many] = [setUp(), setUp()]
        for (const ms of timers) for (const { after } of [one, many]) after(ms)
        one.clock.advance(steps.reduce((sum, ms) => sum + ms, 0))
        for (const ms of steps) many.clock.advance(ms)
        expect(many.fired).toEqual(one.fired)
        expect(many.clock.now()).toBe(one.clock.now())
        expect(many.clock.pending).toBe(one.clock.pending)
      }),
    )
  })
})
