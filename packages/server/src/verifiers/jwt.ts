import type { Identity } from '../identity.js'
import { andThen } from '../support/and-then.js'
import { checkedNumber } from '../support/checked-number.js'
import { hash } from '../support/hash.js'
import { createCache } from './cache.js'
import { type Identify, identified, readToken, type Token, type TokenIdentity, tooEarly } from './claims.js'
import { seconds } from './detail.js'
import { createTokenVerifier, mediaType, type SignedClaims } from './jws.js'
import { checkedAlgorithms, type JwtKeys, keySource } from './keys/options.js'
import { checkedIssuer, checkedRecipient, type Issuer, isKnownIssuer, type Recipient } from './parties.js'
import { checkedClaim } from './settings.js'
import { isPlaceholder } from './shape.js'
import {
  isRejected,
  type Known,
  type Recall,
  type Rejected,
  rejected,
  type Verification,
  type Verifier,
} from './verifier.js'

/** What {@link jwt} demands of a token, apart from its signature. */
export interface JwtRules {
  readonly issuer: Issuer
  /** The only `typ` that is accepted, such as `at+jwt` (RFC 9068). Default: `JWT`, `at+jwt`, or none. */
  readonly typ?: string
  /**
   * The claim that names the session, in the words of the provider: Supabase says `session_id`. Default `sid` (OpenID
   * Connect Back-Channel Logout 1.0 section 2.1).
   */
  readonly sessionClaim?: string
  /** Seconds that clocks may differ by, 60 at most. Default 5. */
  readonly leeway?: number
  /** Seconds from `iat` to `exp` at most; revocations are remembered for so long. Default 86,400 (a day). */
  readonly maxLifetime?: number
  /** How many verified tokens are remembered, so that presenting one again costs no signature. Default 10,000. */
  readonly cacheSize?: number
}

/** Options of {@link jwt}. */
export type JwtOptions = JwtKeys & JwtRules & Recipient

/**
 * Verifies JSON Web Tokens (RFC 7519, by the rules of RFC 8725) that are signed, and in the compact serialization.
 *
 * A token needs `exp` and `iat`, and `sub` unless `identify` says whose it is. `identify` is called for every
 * verification, also of a remembered token; where it answers `undefined` the token is rejected.
 *
 * Refused besides everything expired, forged or meant for somebody else: tokens made for another purpose (ID, refresh and
 * logout tokens) or bound to a key (`cnf`), critical extensions, and every second spelling of a token. The signature is
 * nevertheless not the token's identity (whoever holds an ECDSA signature can write another): revoke by `jti`, `sid` or
 * `sub`.
 *
 * Throws `ConfigurationError` for options that cannot work or are not safe. The verifier throws `UnavailableError` when
 * the key set cannot be had.
 */
export function jwt<I extends Identity>(options: JwtOptions & { readonly identify: Identify<I> }): Verifier<Known<I>>
export function jwt(options: JwtOptions & { readonly identify?: undefined }): Verifier<TokenIdentity>
export function jwt(options: JwtOptions & { readonly identify?: Identify<Identity> | undefined }): Verifier {
  const check = (name: string, value: number, min: number, max: number) => checkedNumber('jwt', name, value, min, max)
  const { identify } = options
  const sessionClaim = checkedClaim('jwt', 'sessionClaim', options.sessionClaim ?? 'sid')
  const algorithms = checkedAlgorithms(options)
  const keys = keySource(options, algorithms)
  const issuer = checkedIssuer('jwt', options.issuer)
  const maxLifetime = 1000 * check('maxLifetime', options.maxLifetime ?? 86_400, 1, 1e10)
  const leeway = 1000 * check('leeway', options.leeway ?? 5, 0, 60)
  const cache = createCache<Remembered>(check('cacheSize', options.cacheSize ?? 10_000, 0, 10_000_000))
  const verify = createTokenVerifier({
    algorithms,
    types: options.typ === undefined ? [undefined, 'jwt', 'at+jwt'] : [mediaType(options.typ)],
    keys,
    issuer,
    recipient: checkedRecipient('jwt', options),
    required: ['exp', 'iat'],
    leeway,
  })

  /** Reads a token whose signature is good, and remembers it. */
  function read(key: string, { claims, typ, edition }: SignedClaims, now: number): Token | Rejected {
    const token = readToken(claims, sessionClaim, typ)
    if (isRejected(token)) return token
    // Both are there, being required claims.
    const { issuedAt = Number.POSITIVE_INFINITY, expiresAt = Number.POSITIVE_INFINITY } = token
    if (issuedAt > now + leeway) return tooEarly('iat', issuedAt, now, leeway)
    const lifetime = expiresAt - issuedAt
    if (lifetime > maxLifetime) {
      return rejected('credential-lifetime', `lives ${seconds(lifetime)}, maxLifetime ${seconds(maxLifetime)}`)
    }
    // By a clock that is ahead of ours: whenever it comes again, it is no younger than now.
    const seen = issuedAt > now ? Object.freeze({ ...token, firstSeenAt: now }) : token
    cache.set(key, { token: seen, edition }, expiresAt + leeway)
    return seen
  }

  /** What is seen at a glance. */
  function glance(credential: string): Rejected | undefined {
    if (isPlaceholder(credential)) return rejected('credential-placeholder')
    return threeParts.test(credential) ? undefined : rejected('credential-unreadable')
  }

  /** What is remembered under the hash of a token. */
  function known(key: string, now: number): Verification | undefined {
    const remembered = cache.get(key, now)
    if (!remembered || remembered.edition !== keys.edition(now)) return undefined
    const { token } = remembered
    return isKnownIssuer(token.identity.issuer, issuer) ? identified(token, identify) : undefined
  }

  const verifier: Verifier = (credential, { now }) => {
    const unreadable = glance(credential)
    if (unreadable) return unreadable
    const key = hash(credential)
    return (
      known(key, now) ??
      andThen(verify(credential, now), (signed) => {
        const token = isRejected(signed) ? signed : read(key, signed, now)
        return isRejected(token) ? token : identified(token, identify)
      })
    )
  }
  const recall: Recall = (credential, now) => glance(credential) ?? known(hash(credential), now)
  return Object.assign(verifier, { recall, maxLifetime })
}

// Seen before anything is computed of what may be of any length.
const threeParts = /^[^.]+\.[^.]+\.[^.]+$/

/** A token that was verified, and the keys that were in force then. */
interface Remembered {
  readonly token: Token
  readonly edition: object
}
