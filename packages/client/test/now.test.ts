import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { now } from '../src/now.js'
import { FakeClock } from './fakes.js'

const hour = 3_600_000

describe('K07 the time that has passed', () => {
  const clocks = { wall: 1_800_000_000_000, steady: 5_000 }
  /** Both clocks go on. */
  const pass = (ms: number) => {
    clocks.wall += ms
    clocks.steady += ms
  }
  const since = (start: number) => now({ after: () => () => {} }) - start

  beforeEach(() => {
    vi.spyOn(Date, 'now').mockImplementation(() => clocks.wall)
    vi.spyOn(performance, 'now').mockImplementation(() => clocks.steady)
  })
  afterEach(() => vi.restoreAllMocks())

  it('K07 is what both clocks say', () => {
    const start = since(0)
    pass(hour)
    expect(since(start)).toBe(hour)
  })

  it('K07 does not go back with a clock that is set back', () => {
    const start = since(0)
    clocks.wall -= hour
    expect(since(start)).toBe(0)
    pass(1_000)
    expect(since(start)).toBe(1_000)
  })

  it('K07 counts sleep where performance.now() stands still', () => {
    const start = since(0)
    clocks.wall += hour
    expect(since(start)).toBe(hour)
    pass(1_000)
    expect(since(start)).toBe(hour + 1_000)
  })

  it('K07 counts sleep also after the clock was set back', () => {
    const start = since(0)
    clocks.wall -= hour
    since(start)
    clocks.wall += hour / 2
    expect(since(start)).toBe(hour / 2)
  })

  it('K07 takes a clock that is set forward for sleep, once', () => {
    const start = since(0)
    clocks.wall += hour
    since(start)
    pass(1_000)
    clocks.wall -= hour
    expect(since(start)).toBe(hour + 1_000)
  })

  it('comes from the clock that is injected', async () => {
    const clock = new FakeClock()
    await clock.advance(7)
    expect(now(clock)).toBe(7)
  })
})
