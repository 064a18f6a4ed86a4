import type { Identity } from '../identity.js'
import { andThen } from '../support/and-then.js'
import { checkedFunction } from '../support/checked-kind.js'
import { hash } from '../support/hash.js'
import { isPlaceholder } from './shape.js'
import { type Known, rejected, type Verified, type Verifier, type VerifyContext } from './verifier.js'

/** A session as the application knows it: whose it is, until when, and a name for it that is not the credential. */
export type Session<I extends Identity> = Omit<Verified<I>, 'token'>

/** Looks a session up by what the client presented; `null` or `undefined` when there is none. */
export type FindSession<I extends Identity> = (
  value: string,
  context: VerifyContext,
) => Session<I> | null | undefined | Promise<Session<I> | null | undefined>

/**
 * Verifies session ids, API keys and whatever else the application looks up itself.
 *
 * `find` gets the exact text that came, never empty; a signature over it is for `find` to check. What it throws is
 * passed on, so let it throw `UnavailableError` when its database is down. When its answer has no `session`, the
 * connection belongs to the hash of the value.
 *
 * @throws ConfigurationError when `find` is no function
 */
export function session<I extends Identity>(find: FindSession<I>): Verifier<Known<I>>
export function session(find: FindSession<Identity>): Verifier {
  checkedFunction('session', 'find', find, 'a function that looks a session up')
  return (value, context) => {
    if (isPlaceholder(value)) return rejected('credential-placeholder')
    return andThen(find(value, context), (found) => {
      if (!found) return rejected('credential-unknown')
      const { identity, subject, expiresAt, issuedAt, firstSeenAt } = found
      // A column that is null is no time that is over: the guard says what is wrong with it.
      if (typeof expiresAt === 'number' && expiresAt <= context.now) return rejected('credential-expired')
      const { lookedUpAt = context.now, session = hash(value) } = found
      return { identity, subject, expiresAt, issuedAt, lookedUpAt, firstSeenAt, session }
    })
  }
}
