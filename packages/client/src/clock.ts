/** Time, injected, so that every race and deadline is a fast, deterministic test. */
export interface Clock {
  /** Runs `callback` after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void
  /**
   * Milliseconds from an arbitrary start, those asleep included; never goes back. Needed for `renewal()` and
   * `lifecycle()` only, which otherwise take the runtime's own.
   */
  now?(): number
}

/** The longest delay a timer takes; anything longer would fire at once. */
const maxDelayMs = 2 ** 31 - 1

/** The system's timers. */
export const systemClock: Clock = {
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, maxDelayMs))
    return () => clearTimeout(timer)
  },
}
