import type { Attempt, Reason } from '../credentials/credential.js'
import { inTime } from '../in-time.js'
import type { Host, Live } from '../live.js'
import { now } from '../now.js'
import { broken, closed, type Ending, withoutCredential } from '../outcome.js'
import { OPEN } from '../ready-state.js'
import { createRetry } from '../retry.js'

/** A renewal comes at a random moment between these parts of the time that is left, so that clients do not come at once. */
const earliest = 0.75
const latest = 0.9

const never = Number.POSITIVE_INFINITY

/** After a renewal the next one is never planned sooner, even if it brought nothing: a token function may have a cache. */
const leastGapMs = 5_000

/** A timer stands still while the machine sleeps, so a deadline is looked at this often. */
const lookMs = 30_000

/** What the server's Close would have said. */
const expired: Ending = closed({ ...broken, code: 4019 })

/** What keeps the credential of one connection fresh. */
export interface Freshness {
  /** The server said that the credential is good for so many seconds from now; `undefined`: that it has no end. */
  granted(expiresIn: number | undefined): void
  /** The server said that the credential ends in so many seconds: it is time. */
  ending(expiresIn: number): void
  /** The application said that the credential is good for so many seconds; `undefined`: nobody knows, so ask at once. */
  expected(expiresIn: number | undefined): void
}

/**
 * Calls `renew` ahead of the end of the connection's credential, one call at a time. One that fails is repeated as the
 * table of codes says, and breaks nothing: the present credential is good until it ends, and then the server closes. Only
 * `forbidden` ends the connection. When the server's Close is overdue, the connection is dead, and ends as `expired`.
 */
export function keepFresh(
  { clock, random, timeoutMs }: Host,
  live: Live,
  renew: (attempt: Attempt) => Promise<void>,
): Freshness {
  const { signal, socket } = live
  const retry = createRetry({}, random)
  let reason: Reason = 'renewal'
  let renewing = false
  let renewAt = never
  let endsAt = never
  let notBefore = 0
  let cancelTimer = () => {}

  function look(): void {
    cancelTimer()
    // While it is closing as well, which nobody needs a credential for.
    if (signal.aborted || socket.readyState > OPEN) return
    const time = now(clock)
    if (time >= endsAt + timeoutMs) {
      live.end(expired)
      return
    }
    if (time >= renewAt && !renewing) void run(time)
    const next = Math.min(renewing ? never : renewAt, endsAt + timeoutMs)
    if (next < never) lookIn(Math.min(next - time, lookMs))
  }

  function lookIn(ms: number): void {
    cancelTimer()
    cancelTimer = clock.after(ms, look)
  }

  async function run(time: number): Promise<void> {
    renewing = true
    renewAt = never
    notBefore = time + leastGapMs
    await inTime(clock, timeoutMs, signal, (inner) => renew({ reason, signal: inner })).catch(failed)
    renewing = false
    look()
  }

  function failed(error: unknown): void {
    const ending = withoutCredential(error)
    const { kind } = ending.outcome
    if (kind === 'forbidden') live.end(ending)
    if (kind === 'unauthenticated') reason = 'rejected'
    const next = retry.next(ending)
    if (next) renewAt = now(clock) + next.delayMs
  }

  function plan(ms: number): void {
    renewAt = Math.max(notBefore, now(clock) + ms)
    look()
  }

  /** In its time, when the credential still lives `expiresIn` seconds. */
  const inGoodTime = (expiresIn: number) => expiresIn * 1000 * (earliest + random() * (latest - earliest))

  signal.addEventListener('abort', () => cancelTimer())
  live.onwake = () => {
    if (now(clock) >= endsAt) live.end(expired)
    else lookIn(0)
  }

  return {
    granted(expiresIn = never) {
      retry.stable()
      reason = 'renewal'
      endsAt = now(clock) + expiresIn * 1000
      plan(inGoodTime(expiresIn))
    },
    ending(expiresIn) {
      const ms = expiresIn * 1000
      endsAt = now(clock) + ms
      plan(Math.min(renewAt - now(clock), (random() * ms) / 2))
    },
    expected(expiresIn) {
      if (expiresIn === undefined) reason = 'first'
      plan(inGoodTime(expiresIn ?? 0))
    },
  }
}
