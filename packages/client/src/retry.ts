import type { Ending } from './outcome.js'

/** When the socket tries again. */
export interface ReconnectOptions {
  /** The first delay is random up to this, and the bound doubles with every failure. Default 500 ms. */
  readonly baseMs?: number
  /** The bound never exceeds this. Default 30 s. */
  readonly capMs?: number
  /**
   * Close codes that end the socket: `[1000, 1005, 4100]`, where the server says by them that it is done. Default none:
   * of the codes that are not in the table, 4500–4999 end it, and after all others it comes again.
   */
  readonly stopOn?: readonly number[]
  /** A connection that stood this long after it was authenticated counts as stable: the delays start over. Default 10 s. */
  readonly stableMs?: number
}

/** After a restart the clients of a node come back within this time, not at once. */
const restartSpreadMs = 5_000

/** The next attempt. */
export interface Next {
  /** Counts from 1 since the last stable connection. */
  readonly attempt: number
  readonly delayMs: number
}

/** Decides whether and when to try again. */
export interface Retry {
  readonly stableMs: number
  /** When to try again; `undefined`: stop. */
  next(ending: Ending): Next | undefined
  /** The connection stood: what happened before no longer counts. */
  stable(): void
}

/**
 * Full jitter over a bound that doubles. It starts over when told that the connection is stable and at no other time, so
 * that no answer of a server makes a tight loop.
 */
export function createRetry(options: ReconnectOptions | false = {}, random: () => number): Retry {
  const { baseMs = 500, capMs = 30_000, stableMs = 10_000, stopOn = [] } = options || {}
  let attempt = 0
  let rejected = false

  return {
    stableMs,
    next({ action, outcome: { code, retryAfter = 0 } }) {
      if (!options || action === 'stop' || (action === 'retry-once' && rejected)) return undefined
      if ((stopOn as readonly unknown[]).includes(code)) return undefined
      rejected ||= action === 'retry-once'
      const bound = Math.min(capMs, baseMs * 2 ** attempt++)
      const spread = action === 'jitter' ? Math.max(bound, restartSpreadMs) : bound
      const atOnce = action === 'reconnect' && attempt === 1
      return { attempt, delayMs: atOnce ? 0 : retryAfter * 1000 + random() * spread }
    },
    stable() {
      attempt = 0
      rejected = false
    },
  }
}
