import { type Clock, systemClock } from './clock.js'
import { requireFunction, type TokenSource } from './credentials/credential.js'
import { inTime } from './in-time.js'
import { type LocksLike, localLocks } from './locks.js'

/** Options of {@link shared}. */
export interface SharedOptions {
  /** Tabs of one origin that use the same name take turns: one name for each login. */
  readonly name: string
  /** How long one tab may keep the others waiting. Default 4 s. */
  readonly holdMs?: number
  /** Default `navigator.locks`. Without it only the sockets of this tab take turns. */
  readonly locks?: LocksLike
  /** Default the system's timers. */
  readonly clock?: Clock
}

/**
 * Lets tabs take turns at `source`, so that several of them do not use one refresh token at once, which an identity
 * provider that rotates them takes for theft.
 *
 * `source` runs while this tab holds a lock, so what it then finds in the application's storage is the newest there is:
 * look there first, and refresh only if that is no good. `attempt.refreshedElsewhere` is `true` when another tab held the
 * lock until now, and has most likely refreshed. (What IndexedDB and cookies say is then true in every tab; `localStorage`
 * may lag behind for a moment.)
 *
 * Nothing is passed from tab to tab, a token least of all. Every attempt is asked for itself, so that an answer for one
 * account never serves another. A tab that crashes loses the lock at once, one that hangs loses it after `holdMs`, and an
 * attempt that is given up no longer waits.
 */
export function shared(source: TokenSource, options: SharedOptions): TokenSource {
  requireFunction(source)
  const { name, holdMs = 4_000, locks = globalThis.navigator?.locks ?? localLocks, clock = systemClock } = options

  return async (attempt) => {
    // An answer that comes too late for the lock still counts: wrapped, because the lock would wait for a bare promise.
    async function hold(refreshedElsewhere: boolean): Promise<{ answer: ReturnType<TokenSource> }> {
      const answer = Promise.resolve({ ...attempt, refreshedElsewhere }).then(source)
      await inTime(clock, holdMs, attempt.signal, () => answer).catch(() => {})
      return { answer }
    }

    const free = await locks.request(name, { ifAvailable: true }, async (lock) => (lock ? hold(false) : undefined))
    const { answer } = free ?? (await locks.request(name, { signal: attempt.signal }, () => hold(true)))
    return answer
  }
}
