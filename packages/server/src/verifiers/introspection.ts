import { Buffer } from 'node:buffer'
import type { Identity } from '../identity.js'
import { checkedNumber } from '../support/checked-number.js'
import { type Clock, systemClock } from '../support/clock.js'
import { ConfigurationError, UnavailableError } from '../support/errors.js'
import { hash } from '../support/hash.js'
import { createCache } from './cache.js'
import {
  type ClaimRules,
  type Claims,
  checkClaims,
  type Identify,
  identified,
  readToken,
  type Token,
  type TokenIdentity,
} from './claims.js'
import { unlike } from './detail.js'
import { createBreaker } from './keys/breaker.js'
import { type Fetch, fetchJson, StatusError } from './keys/fetch-json.js'
import { checkedIssuer, checkedRecipient, type Issuer, type Recipient } from './parties.js'
import { checkedClaim, checkedUrl } from './settings.js'
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

export type { Claims, Identify, TokenIdentity } from './claims.js'

/** Options of {@link introspection}. */
export type IntrospectionOptions = IntrospectionRules & Recipient

/** What {@link introspection} asks, and what it demands of the answer. */
export interface IntrospectionRules {
  /** The issuer's introspection endpoint: https, or http on this machine. */
  readonly endpoint: string | URL
  /** Our own name at the issuer. */
  readonly clientId: string
  /** Our own secret at the issuer, sent as HTTP Basic (RFC 6749 section 2.3.1). */
  readonly clientSecret: string
  /** Who the issuer is. An answer with another `iss` is refused; without one it is this, if this is a single one. */
  readonly issuer: Issuer
  /** What a token looks like; anything else is refused unasked. Default: a bearer token (RFC 6750 section 2.1). */
  readonly pattern?: RegExp
  /**
   * The claim that names the session, in the words of the provider: Supabase says `session_id`. Default `sid` (OpenID
   * Connect Back-Channel Logout 1.0 section 2.1).
   */
  readonly sessionClaim?: string
  /** Seconds that clocks may differ by, 60 at most. Default 5. */
  readonly leeway?: number
  /**
   * How long an answer is remembered, in milliseconds; so long a token that the issuer has revoked still passes.
   * Default 10,000; 0 asks every time.
   */
  readonly maxAge?: number
  /** How many good tokens are remembered, and how many bad ones. Default 10,000. */
  readonly cacheSize?: number
  /** How long one question may take, in milliseconds. Default 3,000. */
  readonly timeout?: number
  /** Asks the issuer in your own way, within `timeout` and 64 KiB: through a proxy, or with a private certificate authority. */
  readonly fetch?: Fetch
  /**
   * Allow http for an address that is not of this machine. Whoever can read along there learns our secret and every token,
   * and whoever can change it says who is who. Default `false`.
   */
  readonly dangerouslyAllowHttp?: boolean
  /** Times the question out. Default: the system's clock. */
  readonly clock?: Pick<Clock, 'after'>
}

const maxBytes = 64 * 1024
// `b64token` of RFC 6750 section 2.1.
const bearerToken = /^[A-Za-z0-9\-._~+/]+=*$/

// After five failures in a row the issuer is asked once in five seconds; never more than a hundred questions are open.
const failures = 5
const cooldown = 5000
const concurrency = 100

/** Answers about us or the address instead of the token: our secret is wrong, or nothing is asked there. */
const aboutUs = [401, 403, 404, 405]
/** Answers to which it matters how busy the issuer is. */
const aboutLoad = [408, 429]

/**
 * Verifies tokens by asking their issuer (OAuth 2.0 Token Introspection, RFC 7662): for opaque tokens, and for tokens
 * that must be revocable at the issuer. A token is asked for once at a time, however many present it.
 *
 * Of an active token `iss`, `aud`, `exp` and `nbf` are checked, and its kind. It needs `sub`, unless `identify` says
 * whose it is.
 *
 * Throws `ConfigurationError` for options that cannot work or are not safe. The verifier throws `UnavailableError` when
 * the issuer cannot be asked, or answers anything but `"active": true` or `false`. An answer such as 400 is one about the
 * token, which is refused; 401, 403, 404 and 405 are about how we ask. Neither makes it ask less for others.
 */
export function introspection<I extends Identity>(
  options: IntrospectionOptions & { readonly identify: Identify<I> },
): Verifier<Known<I>>
export function introspection(
  options: IntrospectionOptions & { readonly identify?: undefined },
): Verifier<TokenIdentity>
export function introspection(
  options: IntrospectionOptions & { readonly identify?: Identify<Identity> | undefined },
): Verifier {
  const check = (name: string, value: number, min: number, max: number) =>
    checkedNumber('introspection', name, value, min, max)
  const { identify, pattern = bearerToken, clock = systemClock, fetch } = options
  const sessionClaim = checkedClaim('introspection', 'sessionClaim', options.sessionClaim ?? 'sid')
  const endpoint = checkedUrl('introspection', 'endpoint', options.endpoint, options.dangerouslyAllowHttp)
  const issuer = checkedIssuer('introspection', options.issuer)
  const recipient = checkedRecipient('introspection', options)
  for (const name of ['clientId', 'clientSecret'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw new ConfigurationError('option-required', `introspection: ${name} is required`)
    }
  }
  if (pattern.global || pattern.sticky) {
    throw new ConfigurationError(
      'pattern-flags',
      'introspection: pattern must not have the flag g or y, which make it remember',
    )
  }
  const leeway = 1000 * check('leeway', options.leeway ?? 5, 0, 60)
  const rules: ClaimRules = { issuer, recipient, required: [], leeway }
  const maxAge = check('maxAge', options.maxAge ?? 10_000, 0, 3_600_000)
  const timeout = check('timeout', options.timeout ?? 3_000, 1, 60_000)
  const cacheSize = check('cacheSize', options.cacheSize ?? 10_000, 0, 10_000_000)
  const good = createCache<Token>(cacheSize)
  // Apart from the good ones, so that a flood of bad tokens cannot push those out.
  const bad = createCache<Rejected>(cacheSize)
  const pending = new Map<string, Promise<Token | Rejected>>()
  const breaker = createBreaker(failures, cooldown, concurrency)
  const headers = {
    accept: 'application/json',
    authorization: basic(options.clientId, options.clientSecret),
    'content-type': 'application/x-www-form-urlencoded',
  }
  /** The issuer of an answer that does not name it. */
  const only = typeof issuer !== 'function' && issuer.length === 1 ? { iss: issuer[0]! } : {}

  /** What the issuer says. It is well when it says that something is wrong with the question. */
  async function ask(token: string): Promise<Answer | StatusError> {
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
    try {
      const answer = await fetchJson(endpoint, { method: 'POST', headers, body }, { timeout, maxBytes, clock, fetch })
      if (isAnswer(answer)) return answer
      throw new UnavailableError(`${endpoint.origin}${endpoint.pathname} sent no introspection response`)
    } catch (error) {
      if (error instanceof StatusError && isAnswered(error.status)) return error
      throw error
    }
  }

  function read(answer: Answer | StatusError, now: number): Token | Rejected {
    if (answer instanceof StatusError) {
      if (aboutUs.includes(answer.status)) throw answer
      return rejected('credential-unknown', `the issuer answered ${answer.status}`)
    }
    if (!answer.active) return rejected('credential-unknown')
    const claims: Claims = { ...only, ...answer }
    const { token_type: type = 'Bearer' } = claims
    const failure = checkClaims(claims, rules, now)
    if (failure) return failure
    if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
      return rejected('token-type', unlike('token_type', type, ['Bearer']))
    }
    const token = readToken(claims, sessionClaim)
    return isRejected(token) ? token : Object.freeze({ ...token, lookedUpAt: now })
  }

  const end = ({ expiresAt = Number.POSITIVE_INFINITY }: Token) => expiresAt + leeway

  async function verify(credential: string, key: string, now: number): Promise<Token | Rejected> {
    try {
      const result = read(await breaker.run(now, () => ask(credential)), now)
      if (isRejected(result)) bad.set(key, result, now + maxAge)
      else good.set(key, result, Math.min(now + maxAge, end(result)))
      return result
    } finally {
      pending.delete(key)
    }
  }

  /** What is seen at a glance. */
  function glance(credential: string): Rejected | undefined {
    if (isPlaceholder(credential)) return rejected('credential-placeholder')
    return pattern.test(credential) ? undefined : rejected('credential-unreadable')
  }

  /** What is remembered under the hash of a token. */
  function known(key: string, now: number): Verification | undefined {
    const remembered = good.get(key, now)
    return remembered ? identified(remembered, identify) : bad.get(key, now)
  }

  async function answer(credential: string, key: string, now: number): Promise<Verification> {
    const result = pending.get(key) ?? verify(credential, key, now)
    pending.set(key, result)
    const token = await result
    return isRejected(token) ? token : identified(token, identify)
  }

  const verifier: Verifier = (credential, { now }) => {
    const unreadable = glance(credential)
    if (unreadable) return unreadable
    const key = hash(credential)
    return known(key, now) ?? answer(credential, key, now)
  }
  const recall: Recall = (credential, now) => glance(credential) ?? known(hash(credential), now)
  return Object.assign(verifier, { recall })
}

const isAnswered = (status: number): boolean => status >= 400 && status < 500 && !aboutLoad.includes(status)

/** An introspection response (RFC 7662 section 2.2): the claims of a token beside whether it is active. */
type Answer = Claims & { readonly active: boolean }

const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && 'active' in value && typeof value.active === 'boolean'

/** Both halves are form-encoded first, so that a colon in either stays readable (RFC 6749 section 2.3.1). */
function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((half) => new URLSearchParams({ '': half }).toString().slice(1))
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`
}
