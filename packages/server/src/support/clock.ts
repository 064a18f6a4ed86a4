/** Time, injected, so that every race and expiry is a fast, deterministic test. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `callback` after `ms` milliseconds, 2^31 − 1 at most; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void
}

/** The longest time that {@link Clock.after} can wait, in milliseconds. */
export const longestDelay = 2 ** 31 - 1

/** The system's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
