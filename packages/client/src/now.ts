import type { Clock } from './clock.js'

let passed = 0
let wall = 0
let steady = 0

/**
 * The time of `clock`, or else of the runtime. Of its two clocks `performance.now()` stands still on many platforms while
 * the machine sleeps, and `Date.now()` jumps when somebody sets it. What has passed is what the faster of them says since
 * the last call: so sleep counts, a clock set back changes nothing, and one set forward looks like sleep, once.
 */
export function now(clock: Clock): number {
  return clock.now ? clock.now() : elapsed()
}

function elapsed(): number {
  const before = { wall, steady }
  wall = Date.now()
  steady = performance.now()
  passed += Math.max(wall - before.wall, steady - before.steady)
  return passed
}
