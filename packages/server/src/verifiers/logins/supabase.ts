import { Buffer } from 'node:buffer'
import type { Identity } from '../../identity.js'
import { isObject, isPlaceholder } from '../shape.js'
import { type Rejected, rejected, type Verifier } from '../verifier.js'

/**
 * Verifies the session cookie of `@supabase/ssr`, `sb-<project>-auth-token` in one or several chunks: `verify` gets the
 * access token in it, and decides. The user that stands beside the token is not looked at, because nobody has signed it.
 */
export function supabase<I extends Identity>(verify: Verifier<I>): Verifier<I> {
  const { recall, maxLifetime } = verify
  const ofCookie: Verifier<I> = (cookie, context) => {
    const token = accessToken(cookie)
    return typeof token === 'string' ? verify(token, context) : token
  }
  return Object.assign(
    ofCookie,
    recall && {
      recall(cookie: string, now: number) {
        const token = accessToken(cookie)
        return typeof token === 'string' ? recall(token, now) : token
      },
    },
    maxLifetime !== undefined && { maxLifetime },
  )
}

const encoded = 'base64-'

function accessToken(cookie: string): string | Rejected {
  if (isPlaceholder(cookie)) return rejected('credential-placeholder')
  const isEncoded = cookie.startsWith(encoded)
  const session = parse(isEncoded ? Buffer.from(cookie.slice(encoded.length), 'base64url').toString() : cookie)
  if (isObject(session) && typeof session.access_token === 'string') return session.access_token
  return rejected('credential-unreadable')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
