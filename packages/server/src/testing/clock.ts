import type { Clock } from '../support/clock.js'

/** A clock that stands still until it is told to advance. */
export interface TestClock extends Clock {
  /** Moves time on by `ms` milliseconds and runs what falls due on the way, in order. */
  advance(ms: number): void
  /** How many timers wait. */
  readonly pending: number
}

/** Makes a clock; it starts at the beginning of 2026 unless told otherwise, in milliseconds since the epoch. */
export function testClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let time = start
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  function nextDue(until: number) {
    let next: { readonly at: number; readonly callback: () => void } | undefined
    for (const timer of timers) if (timer.at <= until && timer.at < (next?.at ?? Number.POSITIVE_INFINITY)) next = timer
    return next
  }

  return {
    now: () => time,
    after(ms, callback) {
      const timer = { at: time + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms) {
      const target = time + ms
      for (let timer = nextDue(target); timer; timer = nextDue(target)) {
        timers.delete(timer)
        time = timer.at
        timer.callback()
      }
      time = target
    },
    get pending() {
      return timers.size
    },
  }
}
