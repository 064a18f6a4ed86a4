import type { Identity } from '../identity.js'
import { seconds } from './detail.js'
import { type IssuerRule, isKnownIssuer, type RecipientRule, unknownIssuer, wrongRecipient } from './parties.js'
import { isText } from './shape.js'
import { type Rejected, rejected, type Verification, type Verified } from './verifier.js'

/** The claims of a token (RFC 7519 section 4), frozen through and through. */
export interface Claims {
  readonly iss?: string
  /** Where the issuer writes a number, its decimal text; such tokens need `identify`. */
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
  readonly [claim: string]: unknown
}

/** Who a token speaks of. Frozen, as all who present the token share it. */
export interface TokenIdentity extends Identity {
  /** The token's `sub`. */
  readonly id: string
  /** The token's `iss`. */
  readonly issuer: string
  /** Everything that the token says. */
  readonly claims: Claims
  /**
   * The members of `scope` (RFC 6749 section 3.3), or of `scp` where the issuer writes that. Compare whole members:
   * `admin` is not `admin-read`.
   */
  readonly scopes: readonly string[]
}

/** Makes an identity of claims that are good; `undefined` when they name nobody you know. */
export type Identify<I extends Identity> = (claims: Claims) => I | undefined

/** What a good token says. One without `sub` names nobody. */
export interface Token extends Omit<Verified, 'identity'> {
  readonly identity: Omit<TokenIdentity, 'id'> & { readonly id: string | undefined }
}

/** What the registered claims of a token must say. */
export interface ClaimRules {
  readonly issuer: IssuerRule
  readonly recipient: RecipientRule
  /** Claims that must be there as well. */
  readonly required: readonly string[]
  /** Milliseconds that clocks may differ by. */
  readonly leeway: number
}

/** Why the registered claims (RFC 7519 section 4.1) are not good at the time `now`, in milliseconds since the epoch. */
export function checkClaims(claims: Claims, rules: ClaimRules, now: number): Rejected | undefined {
  const { iss, exp, nbf, iat } = claims
  const { issuer, recipient, required, leeway } = rules
  if (!isKnownIssuer(iss, issuer)) return rejected('token-issuer', unknownIssuer(iss, issuer))
  const wrong = wrongRecipient(claims, recipient)
  if (wrong) return rejected('token-audience', wrong)
  const missing = required.find((name) => claims[name] === undefined)
  if (missing !== undefined) return rejected('token-claims', `${missing} is missing`)
  if (![exp, nbf, iat].every((date) => date === undefined || typeof date === 'number')) {
    return rejected('token-claims', 'exp, nbf or iat is no number')
  }
  if (nbf !== undefined && milliseconds(nbf) > now + leeway) return tooEarly('nbf', milliseconds(nbf), now, leeway)
  if (exp !== undefined && milliseconds(exp) + leeway <= now) {
    return rejected('credential-expired', `exp was ${seconds(now - milliseconds(exp))} ago, leeway ${seconds(leeway)}`)
  }
  return undefined
}

/** A token whose time has not come; `date` is in milliseconds. */
export const tooEarly = (name: string, date: number, now: number, leeway: number): Rejected =>
  rejected('credential-not-yet-valid', `${name} is ${seconds(date - now)} ahead, leeway ${seconds(leeway)}`)

/** A date of a token (RFC 7519 section 2, NumericDate) in milliseconds since the epoch. */
export const milliseconds = (date: number): number => Math.floor(date * 1000)

/** A `sub` as text, which some issuers write as a number. What is neither stays what it is. */
export const subjectText = (sub: unknown): unknown => (Number.isSafeInteger(sub) ? `${sub}` : sub)

/**
 * Reads claims whose origin, issuer, audience and time have been checked: their types, and that they are those of a
 * bearer access token. Where JSON names a claim twice the last one counts (RFC 7519 section 4), for every check alike.
 */
export function readToken(claims: Claims, sessionClaim: string, typ?: string): Token | Rejected {
  const { iss, sub, jti, [sessionClaim]: sid, exp, iat, nbf, cnf, scope, scp } = claims
  const scopes = readScopes(scope === undefined ? scp : scope)
  const subject = subjectText(sub)
  const isNumber = subject !== sub
  const wellFormed = [subject, jti, sid].every(isOptionalText) && [exp, iat, nbf].every(isOptionalDate)
  // An own `__proto__` does nothing here, but would replace the prototype of what an application copies it into.
  if (iss === undefined || !wellFormed || !scopes || Object.hasOwn(claims, '__proto__')) {
    return rejected(
      'token-claims',
      `sub, jti, ${sessionClaim}, scope or a date is not of its type, or a claim is __proto__`,
    )
  }
  // A token bound to a key (RFC 7800) is no bearer token, and nothing here can see the proof.
  if (cnf !== undefined) return rejected('token-type', 'the token is bound to a key (cnf)')
  const kind = anotherKind(claims, typ)
  if (kind) return rejected('token-type', `${kind} makes it no access token`)
  const session = (sid as string | undefined) ?? jti
  const token = {
    identity: {
      id: isNumber ? undefined : sub,
      issuer: iss,
      claims: isNumber ? { ...claims, sub: subject as string } : claims,
      scopes,
    },
    expiresAt: exp === undefined ? undefined : milliseconds(exp),
    issuedAt: iat === undefined ? undefined : milliseconds(iat),
    session,
    token: jti,
  }
  // All who present it share it.
  freeze(token)
  return token
}

/** Says whose a token is: by `identify`, or else by `iss` and `sub`. */
export function identified(token: Token, identify?: Identify<Identity>): Verification {
  const { claims } = token.identity
  if (!identify) return namesSomebody(token) ? token : rejected('token-claims', nobody(claims))
  const identity = identify(claims)
  if (!identity) return rejected('credential-unknown')
  const { sub } = claims
  return { ...token, identity, subject: sub === undefined ? undefined : { id: sub, issuer: token.identity.issuer } }
}

const nobody = ({ sub }: Claims): string =>
  sub === undefined ? 'sub is missing' : 'sub is a number; let identify make an identity of it'

const namesSomebody = (token: Token): token is Token & Verified<TokenIdentity> => token.identity.id !== undefined

const isOptionalText = (value: unknown): boolean => value === undefined || isText(value)

/** The last second that a `Date` can hold. */
const lastSecond = 8.64e12
const isOptionalDate = (value?: number): boolean => value === undefined || (value >= 0 && value <= lastSecond)

function readScopes(value: unknown): readonly string[] | undefined {
  if (value === undefined) return noScopes
  if (typeof value === 'string') return value.split(' ').filter(Boolean)
  return Array.isArray(value) && value.every((scope) => typeof scope === 'string') ? value : undefined
}

/** One for all: each that is frozen costs a table of its own where a runtime makes one of its elements. */
const noScopes: readonly string[] = Object.freeze([])

const otherKinds = ['id', 'refresh', 'offline', 'logout']

/**
 * The claim by which the token was made for something else than access: an ID token, refresh token or logout token. Apart
 * from `typ` in the header (RFC 9068 section 2.1) issuers tell the kind in a claim, `token_use` or `typ`, or only by
 * claims that no other kind has (RFC 8725 section 3.12).
 */
function anotherKind(claims: Claims, typ: string | undefined): string | undefined {
  const { token_use: use, typ: kind, nonce } = claims
  const isOther = (value: unknown) => typeof value === 'string' && otherKinds.includes(value.toLowerCase())
  if (isOther(use)) return 'token_use'
  if (isOther(kind)) return 'typ'
  const telling = ['at_hash', 'c_hash', 'events'].find((name) => claims[name] !== undefined)
  if (telling) return telling
  // Some issuers copy the nonce into access tokens as well, and say that they are such.
  const saysAccess = typ === 'at+jwt' || use === 'access' || kind === 'Bearer'
  return nonce !== undefined && !saysAccess ? 'nonce' : undefined
}

// By a list and not by recursion, so that deep nesting cannot exhaust the stack.
function freeze(root: object): void {
  const found: object[] = [root]
  for (const object of found) {
    Object.freeze(object)
    for (const name in object) {
      const value: unknown = Reflect.get(object, name)
      if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) found.push(value)
    }
  }
}
