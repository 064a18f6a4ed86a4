import type { Clock } from '@sallyport/server'

/** A clock that stands still until it is told to advance. */
export interface TestClock extends Clock {
  /** Moves time on by `ms`, running what falls due, in order. */
  advance(ms: number): void
  /** How many timers wait. */
  readonly pending: number
}

export function testClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let time = start
  const timers = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => time,
    after(ms, callback) {
      const timer = { at: time + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms) {
      const target = time + ms
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= target).sort((a, b) => a.at - b.at)[0]
        if (!due) break
        timers.delete(due)
        time = due.at
        due.callback()
      }
      time = target
    },
    get pending() {
      return timers.size
    },
  }
}
