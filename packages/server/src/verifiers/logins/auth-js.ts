import type { Identity } from '../../identity.js'
import { ConfigurationError } from '../../support/errors.js'
import { type SealedSession, sealed } from '../sealed.js'
import { checkedStrings } from '../settings.js'
import type { Known, Verifier } from '../verifier.js'
import type { IdentifySession } from './identify.js'

/** What is read of a session token of Auth.js beside its user. Its `encode` writes all three; one of your own must, too. */
export interface AuthJsToken {
  readonly iat?: number
  readonly exp?: number
  readonly jti?: string
}

/** Options of {@link authJs}. */
export interface AuthJsOptions<T extends AuthJsToken, K extends string | string[]> {
  /** The `decode` of `@auth/core/jwt`, or of `next-auth/jwt`. */
  readonly decode: (params: { token: string; secret: K; salt: string }) => Promise<T | null>
  /** What Auth.js has as `AUTH_SECRET`, or several while one replaces the other. */
  readonly secret: K
  /**
   * The name of the cookie, with which the key is made: `authjs.session-token`, with `__Secure-` before it on https.
   * next-auth 4 makes its key with an empty text.
   */
  readonly salt: string
}

/**
 * Verifies the session cookie of Auth.js with its strategy `jwt`, which is encrypted, and in several chunks where it is long.
 * Nothing is looked up: see `sealed`. Its `jti` is session and token, and another in each newer cookie. For its strategy
 * `database` use `session` with the adapter's `getSessionAndUser`.
 *
 * @throws ConfigurationError when an option is missing
 */
export function authJs<T extends AuthJsToken, K extends string | string[], I extends Identity>(
  { decode, secret, salt }: AuthJsOptions<T, K>,
  identify: IdentifySession<T, I>,
): Verifier<Known<I>> {
  checkedStrings('authJs', 'secret', secret)
  if (typeof decode !== 'function' || typeof salt !== 'string') {
    throw new ConfigurationError(
      'option-required',
      'authJs: decode (that of @auth/core/jwt) and salt (the name of the cookie) are required',
    )
  }
  return sealed(
    (token) => decode({ token, secret, salt }),
    async (token): Promise<SealedSession<I> | undefined> => {
      const identity = await identify(token)
      const { iat, exp, jti } = token
      if (!identity || iat === undefined || exp === undefined || jti === undefined) return undefined
      return { identity, issuedAt: iat * 1000, expiresAt: exp * 1000, session: jti, token: jti }
    },
  )
}
