import { UnavailableError } from '../../support/errors.js'

/** Stops asking a server that fails. */
export interface Breaker {
  /** Runs `ask`, or throws `UnavailableError` at once while the breaker is open. Passes its result and its error on. */
  run<T>(now: number, ask: () => Promise<T>): Promise<T>
}

/**
 * A breaker that opens after `threshold` failures in a row. From then on it lets one call through every `cooldown`
 * milliseconds, until one succeeds. At most `concurrency` calls run at a time; more are turned away.
 */
export function createBreaker(threshold: number, cooldown: number, concurrency: number): Breaker {
  let failures = 0
  let retryAt = 0
  let running = 0
  return {
    async run(now, ask) {
      const open = failures >= threshold
      // No time is further away than that, unless the clock was set back.
      const waits = open && now < retryAt && retryAt - now <= cooldown
      if (waits || running >= concurrency)
        throw new UnavailableError('the server failed too often of late, or too many calls wait for it')
      if (open) retryAt = now + cooldown
      running += 1
      try {
        const result = await ask()
        failures = 0
        return result
      } catch (error) {
        failures += 1
        if (failures === threshold) retryAt = now + cooldown
        throw error
      } finally {
        running -= 1
      }
    },
  }
}
