import type { CodeName } from '@sallyport/protocol'
import type { Guard } from '../guard/guard.js'
import type { Work } from '../guard/measurements.js'
import type { Identity } from '../identity.js'
import type { Reason } from '../refusals/reasons.js'
import type { StoreState } from '../stores/store.js'
import type { MethodName } from '../verdict.js'

type Decision = Extract<Work, { readonly type: 'decision' }>
type Verification = Extract<Work, { readonly type: 'verification' }>

/** What is counted and timed, with the labels that it has. Durations are in seconds, as both systems want them. */
export interface Counts {
  accepted(method: MethodName): void
  refused(reason: Reason): void
  renewed(): void
  ended(code: CodeName): void
  ticket(outcome: 'issued' | 'redeemed' | 'refused'): void
  decided(outcome: Decision['outcome'], seconds: number): void
  verified(method: MethodName, outcome: Verification['outcome'], seconds: number): void
}

/** The states that a gauge of the store has. */
export const storeStates: readonly StoreState[] = ['current', 'stale', 'unavailable']

/** The buckets of durations, in seconds: up to twice of what a verifier may take. */
export const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/** Counts the events of a guard, and times its work; the returned function ends it. */
export function observe<I extends Identity>(guard: Guard<I>, counts: Counts): () => void {
  const leave = guard.subscribe((event) => {
    if (event.type === 'accepted') counts.accepted(event.connection.method)
    else if (event.type === 'refused') counts.refused(event.reason)
    else if (event.type === 'renewed') counts.renewed()
    else if (event.type === 'ended') counts.ended(event.code)
  })
  const stop = guard.measure((work) => {
    if (work.type === 'ticket-issued') return counts.ticket('issued')
    const seconds = work.duration / 1_000
    if (work.type === 'decision') return counts.decided(work.outcome, seconds)
    counts.verified(work.method, work.outcome, seconds)
    // Whoever could not ask the store has not redeemed it either.
    if (work.method === 'ticket' && work.outcome !== 'failed') {
      counts.ticket(work.outcome === 'accepted' ? 'redeemed' : 'refused')
    }
  })
  return () => {
    leave()
    stop()
  }
}
