import { randomUUID } from 'node:crypto'
import type { Clock } from '@sallyport/server'
import { SignJWT } from 'jose'
import type { Session } from './session-stores.js'

/** The `iss` and the `aud` of the playground's tokens. */
export const issuer = 'sallyport-playground'
export const audience = 'sallyport-playground'

/** Signs a token (JWT, HS256) of this session that lives `expiresIn` seconds. */
export type SignToken = (session: Session, expiresIn: number) => Promise<string>

/** Signs with this key, by this clock. */
export function tokenSigner(secret: Uint8Array, clock: Clock): SignToken {
  return (session, expiresIn) => {
    // To the millisecond, as RFC 7519 section 2 allows: by whole seconds, who signs in right after logging out everywhere
    // would get a token from before that.
    const now = clock.now() / 1000
    return new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(session.user)
      .setIssuedAt(now)
      .setExpirationTime(now + expiresIn)
      .setJti(randomUUID())
      .sign(secret)
  }
}
