import type { Identity } from '../../identity.js'
import { checkedNumber } from '../../support/checked-number.js'
import { ConfigurationError } from '../../support/errors.js'
import { hash } from '../../support/hash.js'
import { type SealedSession, sealed } from '../sealed.js'
import type { Known, Verifier } from '../verifier.js'
import type { IdentifySession } from './identify.js'

/** Options of {@link ironSession}. */
export interface IronSessionOptions<D extends object> {
  /** The `unsealData` of iron-session, with the type of your sessions: `unsealData<SessionData>`. */
  readonly unsealData: (seal: string, options: { password: string | Record<string, string>; ttl: number }) => Promise<D>
  /** As you give it to iron-session: 32 characters or more; or several by number, while one replaces the other. */
  readonly password: string | Record<string, string>
  /**
   * The seconds that a seal lives, as you give them to iron-session; where they differ, the most that you ever seal with. It
   * tells when a seal was made: a longer one is refused, and a shorter one is older to a revocation than it is. Default
   * 1,209,600: 14 days.
   */
  readonly ttl?: number
}

/**
 * Verifies the cookie of iron-session, under the name that you gave it. Nothing is looked up: see `sealed`. A session that
 * lives for ever (`ttl: 0`) is refused, because no revocation is remembered for so long.
 *
 * @throws ConfigurationError when a password is shorter than 32 characters, or `ttl` is no time
 */
export function ironSession<D extends object, I extends Identity>(
  { unsealData, password, ttl = 1_209_600 }: IronSessionOptions<D>,
  identify: IdentifySession<D, I>,
): Verifier<Known<I>> {
  checkedNumber('ironSession', 'ttl', ttl, 1, 1e10)
  const passwords: unknown[] = typeof password === 'string' ? [password] : Object.values(password ?? {})
  if (passwords.length === 0 || !passwords.every((one) => typeof one === 'string' && one.length >= 32)) {
    throw new ConfigurationError(
      'option-required',
      'ironSession: password is required: 32 characters or more, as you give it to iron-session',
    )
  }
  return sealed(
    (value) => (oneSpelling.test(value) ? unsealData(value, { password, ttl }) : undefined),
    async (data, value): Promise<SealedSession<I> | undefined> => {
      const identity = await identify(data)
      if (!identity) return undefined
      const expiresAt = endOf(value)
      return { identity, issuedAt: expiresAt - 1000 * ttl, expiresAt, session: hash(value) }
    },
  )
}

// The version stands outside of what the MAC covers: others would be other spellings of one session, or other formats.
const oneSpelling = /^[^~]+~2$/

/** When a seal ends, in milliseconds: its sixth part, which its MAC covers. Empty where it never ends, which is 0 here. */
const endOf = (seal: string): number => Number(seal.split('*')[5])
