import type { Handshake, PathParams } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { isPromise } from '../support/and-then.js'
import { checkedFunction } from '../support/checked-kind.js'
import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'
import { kindOf } from '../support/kind-of.js'
import { within } from '../support/within.js'

/** The application's word: `true` lets it in; `false` does not, and a `reason` is for events, never told to a client. */
export type Admission = boolean | { readonly reason: string }

/** A handshake whose path is one of a route's. */
export interface RoutedHandshake<P extends PathParams = PathParams> extends Omit<Handshake, 'params'> {
  readonly params: P
}

/**
 * Says whether who it is may connect here, once that is known: asked after the credential and before the 101, or before
 * the acknowledgement of the first message. No is 403 or Close 4003.
 *
 * Throws `UnavailableError` when it cannot know because a dependency is down (503 or Close 1013); any other thrown error
 * is a bug (500 or Close 1011). It has as long as a verifier.
 */
export type Admit<I extends Identity = Identity, P extends PathParams = PathParams> = (
  identity: I,
  handshake: RoutedHandshake<P>,
) => Admission | Promise<Admission>

/** What is not let in. */
export interface NotAdmitted {
  readonly reason?: string
}

/** Checks the option `admit`. */
export function checkedAdmit<A>(owner: string, admit: A | undefined): A | undefined {
  return admit === undefined ? admit : checkedFunction(owner, 'admit', admit, 'a function that answers true or false')
}

/**
 * Asks, and waits `timeout` milliseconds at most. `true`: it may connect.
 *
 * Throws what `admit` throws, `UnavailableError` when the time is over, and TypeError when the answer is none.
 */
export function admitInTime<I extends Identity>(
  admit: Admit<I>,
  identity: I,
  handshake: Handshake,
  { clock, verifyTimeout }: { clock: Clock; verifyTimeout: number },
): true | NotAdmitted | Promise<true | NotAdmitted> {
  const answer = admit(identity, { ...handshake, params: handshake.params ?? {} })
  if (!isPromise(answer)) return checkedAdmission(answer)
  const late = () => new UnavailableError(`admit took longer than ${verifyTimeout} ms`)
  return within(answer, verifyTimeout, clock, late).then(checkedAdmission)
}

/** It is the user's code: an answer that was forgotten must let nobody in, and not look like a decision either. */
function checkedAdmission(answer: unknown): true | NotAdmitted {
  if (answer === true) return true
  if (answer === false) return {}
  if (typeof answer === 'object' && answer !== null && 'reason' in answer && typeof answer.reason === 'string') {
    return { reason: answer.reason }
  }
  throw new TypeError(`admit answered ${kindOf(answer)}; give true, false, or { reason } with a text for events`)
}
