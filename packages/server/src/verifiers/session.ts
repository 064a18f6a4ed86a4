import type { Identity } from '../identity.js'
import { andThen } from '../support/and-then.js'
import { checkedNumber } from '../support/checked-number.js'
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

/** Options of {@link session}. */
export interface SessionOptions {
  /** Characters of a value at most. Default 4,096, the most that browsers keep in a cookie. */
  readonly maxLength?: number
}

/**
 * Verifies session ids, API keys and whatever else the application looks up itself.
 *
 * `find` gets the exact text that came, never empty and never longer than `maxLength`; a signature over it is for `find`
 * to check. What it throws is passed on, so let it throw `UnavailableError` when its database is down. When its answer
 * has no `session`, the connection belongs to the hash of the value.
 */
export function session<I extends Identity>(find: FindSession<I>, options?: SessionOptions): Verifier<Known<I>>
export function session(find: FindSession<Identity>, options: SessionOptions = {}): Verifier {
  const maxLength = checkedNumber('session', 'maxLength', options.maxLength ?? 4096, 1, 1_048_576)
  return (value, context) => {
    if (value.length > maxLength) return rejected('credential-unreadable')
    if (isPlaceholder(value)) return rejected('credential-placeholder')
    return andThen(find(value, context), (found) => {
      if (!found) return rejected('credential-unknown')
      const { identity, expiresAt, issuedAt } = found
      // A column that is null is no time that is over: the guard says what is wrong with it.
      if (typeof expiresAt === 'number' && expiresAt <= context.now) return rejected('credential-expired')
      return { identity, expiresAt, issuedAt, session: found.session ?? hash(value) }
    })
  }
}
