import type { CodeName } from '@sallyport/protocol'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import type { Reason } from '../refusals/reasons.js'
import type { StoreState } from '../stores/store.js'
import type { MethodName } from '../verdict.js'

/** What is counted, with the one label that each count has. */
export interface Counts {
  accepted(method: MethodName): void
  refused(reason: Reason): void
  renewed(): void
  ended(code: CodeName): void
}

/** The states that a gauge of the store has. */
export const storeStates: readonly StoreState[] = ['current', 'stale', 'unavailable']

/** Counts the events of a guard; the returned function ends it. */
export function observe<I extends Identity>(guard: Guard<I>, counts: Counts): () => void {
  return guard.subscribe((event) => {
    if (event.type === 'accepted') counts.accepted(event.connection.method)
    else if (event.type === 'refused') counts.refused(event.reason)
    else if (event.type === 'renewed') counts.renewed()
    else if (event.type === 'ended') counts.ended(event.code)
  })
}
