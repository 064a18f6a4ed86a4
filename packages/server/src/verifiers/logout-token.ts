import { checkedNumber } from '../support/checked-number.js'
import { hash } from '../support/hash.js'
import { isName } from '../support/kind-of.js'
import { createCache } from './cache.js'
import { type Claims, milliseconds, subjectText, tooEarly } from './claims.js'
import { createTokenVerifier } from './jws.js'
import { checkedAlgorithms, type JwtKeys, keySource } from './keys/options.js'
import type { Logout, LogoutVerifier } from './logout.js'
import { checkedIssuer, type Issuer } from './parties.js'
import { checkedStrings } from './settings.js'
import { isObject } from './shape.js'
import { isRejected, type Rejected, rejected } from './verifier.js'

/** Options of {@link logoutToken}: those of `jwt` for the tokens of the same issuer, with our client id as the audience. */
export type LogoutTokenOptions = JwtKeys & {
  readonly issuer: Issuer
  /** Our client id at the issuer. */
  readonly audience: string | readonly string[]
  /** Seconds that clocks may differ by, 60 at most. Default 5. */
  readonly leeway?: number
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const maxLength = 8_192
const maxRemembered = 10_000

/**
 * Verifies the logout tokens that an OpenID provider sends when somebody logs out (OpenID Connect Back-Channel Logout 1.0
 * section 2.6), for `createRoutes`. Each token is good once.
 *
 * Throws `ConfigurationError` for options that cannot work or are not safe.
 */
export function logoutToken(options: LogoutTokenOptions): LogoutVerifier {
  const algorithms = checkedAlgorithms(options)
  const leeway = 1000 * checkedNumber('logoutToken', 'leeway', options.leeway ?? 5, 0, 60)
  const verify = createTokenVerifier({
    algorithms,
    types: [undefined, 'jwt', 'logout+jwt'],
    keys: keySource(options, algorithms),
    issuer: checkedIssuer('logoutToken', options.issuer),
    recipient: { by: 'audience', names: checkedStrings('logoutToken', 'audience', options.audience) },
    required: ['iat', 'exp', 'jti'],
    leeway,
  })
  const seen = createCache<Logout>(maxRemembered)

  return async (token, now) => {
    if (token.length > maxLength) return rejected('credential-unreadable')
    const signed = await verify(token, now)
    if (isRejected(signed)) return signed
    const { claims } = signed
    const logout = readLogout(claims)
    if (isRejected(logout)) return logout
    if (logout.at > now + leeway) return tooEarly('iat', logout.at, now, leeway)
    const name = hash(JSON.stringify([claims.iss, claims.jti]))
    if (seen.get(name, now)) return rejected('credential-revoked')
    seen.set(name, logout, milliseconds(claims.exp ?? 0) + leeway)
    return logout
  }
}

function readLogout({ iss, sub, sid, jti, iat, events, nonce }: Claims): Logout | Rejected {
  const user = subjectText(sub)
  // An ID token has a nonce, a logout token never: neither passes for the other.
  if (nonce !== undefined || !isObject(events) || !isObject(events[logoutEvent]))
    return rejected('token-type', 'it has a nonce, or no event of a logout')
  const wellFormed = [jti, user ?? sid, sid ?? user].every(isName)
  if (!wellFormed || iss === undefined || iat === undefined)
    return rejected('token-claims', 'jti, sub or sid is missing or no text')
  return { issuer: iss, at: milliseconds(iat), ...(isName(sid) && { session: sid }), ...(isName(user) && { user }) }
}
