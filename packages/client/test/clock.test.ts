import { systemClock } from '@sallyport/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

describe('systemClock', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => {
    // First, or it would put the fake timer back some day.
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  it('fires when it is time, and not after it was cancelled', () => {
    const fired: string[] = []
    systemClock.after(10, () => fired.push('kept'))
    systemClock.after(10, () => fired.push('cancelled'))()
    vi.advanceTimersByTime(9)
    expect(fired).toEqual([])
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['kept'])
  })

  it.each([2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])('does not fire at once for %d ms', (ms) => {
    const timer = vi.spyOn(globalThis, 'setTimeout')
    systemClock.after(ms, () => {})()
    expect(timer.mock.lastCall?.[1]).toBe(2 ** 31 - 1)
  })
})
