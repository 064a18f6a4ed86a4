import type { Identity } from '../../identity.js'
import { UnavailableError } from '../../support/errors.js'
import { session } from '../session.js'
import type { Known, Verifier } from '../verifier.js'
import type { IdentifySession } from './identify.js'

/** What of better-auth is used. */
export interface BetterAuth<S> {
  readonly $Infer: { readonly Session: S }
  readonly $context: PromiseLike<{ readonly authCookies: { readonly sessionToken: { readonly name: string } } }>
  readonly api: {
    getSession(request: {
      headers: Headers
      query: { disableCookieCache: boolean; disableRefresh: boolean }
    }): Promise<unknown>
  }
}

/** What is read of a session of better-auth beside its user. */
export interface BetterAuthSession {
  readonly session: { readonly id: string; readonly expiresAt: Date; readonly createdAt: Date }
}

/**
 * Verifies the session cookie of better-auth, `better-auth.session_token`, with `__Secure-` before it on https. The session
 * is looked up in its database each time, past its cookie cache, and not refreshed by it: no cookie could be set. Its `id`
 * is the session that `guard.revoke` takes.
 *
 * better-auth gets the cookie alone, and not the handshake, in which its plugins would look for other credentials. What it
 * throws is `UnavailableError`.
 */
export function betterAuth<S extends BetterAuthSession, I extends Identity>(
  auth: BetterAuth<S>,
  identify: IdentifySession<S, I>,
): Verifier<Known<I>> {
  return session<I>(async (value) => {
    const found = await load(auth, value)
    const identity = found && (await identify(found))
    if (!identity) return undefined
    const { id, expiresAt, createdAt } = found.session
    // A secondary storage may have kept them as text.
    const [end, start] = [expiresAt, createdAt].map((date) => new Date(date).getTime())
    return { identity, session: id, expiresAt: end, issuedAt: start }
  })
}

async function load<S>(auth: BetterAuth<S>, value: string): Promise<S | null> {
  try {
    const { name } = (await auth.$context).authCookies.sessionToken
    const headers = new Headers({ cookie: `${name}=${encodeURIComponent(value)}` })
    // Its type depends on its arguments in more ways than can be inferred; `$Infer` says what it is.
    return (await auth.api.getSession({
      headers,
      query: { disableCookieCache: true, disableRefresh: true },
    })) as S | null
  } catch (cause) {
    throw new UnavailableError('better-auth could not look the session up', { cause })
  }
}
