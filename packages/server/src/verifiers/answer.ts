import type { Identity } from '../identity.js'
import { isVerificationFailure } from '../refusals/reasons.js'
import { isName, kindOf } from '../support/kind-of.js'
import type { Logout } from './logout.js'
import { isRejected, type Rejected, type Verification } from './verifier.js'

/**
 * A verifier is somebody's code: what it answers is looked at before it is believed, in every field that a later decision
 * rests on. A time that is none would make a credential that nothing ends. Answers a copy: what was looked at is what is
 * believed, also where a field is computed anew each time that it is read.
 *
 * @throws TypeError that names the field and what kind of value came in it, never the value
 */
export function checkedAnswer<I extends Identity>(answer: Verification<I>): Verification<I> {
  if (typeof answer !== 'object' || answer === null) {
    throw new TypeError(`a verifier answered ${kindOf(answer)}; give { identity: { id } }, or rejected(reason)`)
  }
  if (isRejected(answer)) return checkedRejection(answer)
  const { identity, subject, expiresAt, issuedAt, lookedUpAt, firstSeenAt, session, token } = answer
  const { id, issuer, tenant } = identity ?? {}
  if (!isName(id)) throw wrong('identity.id', id, 'a string that is not empty')
  checkName('identity.issuer', issuer)
  checkName('identity.tenant', tenant)
  if (subject !== undefined && !isName(subject?.id))
    throw wrong('subject.id', subject?.id, 'a string that is not empty')
  checkName('subject.issuer', subject?.issuer)
  checkName('session', session)
  checkName('token', token)
  checkTime('expiresAt', expiresAt)
  checkTime('issuedAt', issuedAt)
  checkTime('lookedUpAt', lookedUpAt)
  checkTime('firstSeenAt', firstSeenAt)
  return { identity, subject, expiresAt, issuedAt, lookedUpAt, firstSeenAt, session, token }
}

/** The same for what reads logout tokens. */
export function checkedLogout(answer: Logout | Rejected): Logout | Rejected {
  if (typeof answer !== 'object' || answer === null) {
    throw new TypeError(`a logout verifier answered ${kindOf(answer)}; give { issuer, at }, or rejected(reason)`)
  }
  if (isRejected(answer)) return checkedRejection(answer)
  const { issuer, at, session, user } = answer
  checkName('issuer', issuer)
  checkName('session', session)
  checkName('user', user)
  checkTime('at', at)
  if (issuer === undefined || at === undefined || (session ?? user) === undefined) {
    throw new TypeError('a logout verifier answered without issuer or at, or with neither session nor user')
  }
  return answer
}

function checkedRejection(answer: Rejected): Rejected {
  if (isVerificationFailure(answer.rejected)) return answer
  throw wrong('rejected', answer.rejected, 'one of the reasons that a verifier may give')
}

function checkName(field: string, value: unknown): void {
  if (value !== undefined && !isName(value)) throw wrong(field, value, 'a string that is not empty, or leave it out')
}

function checkTime(field: string, value: unknown): void {
  if (value === undefined || Number.isFinite(value)) return
  throw wrong(field, value, 'milliseconds since the epoch, or leave it out')
}

const wrong = (field: string, value: unknown, expected: string): TypeError =>
  new TypeError(`a verifier answered with ${field} being ${kindOf(value)}; give ${expected}`)
