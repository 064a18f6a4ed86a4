import { Buffer } from 'node:buffer'
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../../identity.js'
import { ConfigurationError, UnavailableError } from '../../support/errors.js'
import { hash } from '../../support/hash.js'
import type { Secret } from '../keys/key-source.js'
import { session } from '../session.js'
import type { Known, Verifier } from '../verifier.js'
import type { IdentifySession } from './identify.js'

/** What all stores of express-session have, and those of `@fastify/session`. */
export interface SessionStore<S> {
  get(id: string, callback: (error: unknown, session?: S | null) => void): void
}

/** What is read of a session beside its user: when it ends, a date or its text, and the age that each use gives it anew. */
export interface StoredSession {
  readonly cookie?: {
    readonly expires?: Date | null | undefined
    readonly originalMaxAge?: number | null | undefined
  }
}

/** Options of {@link expressSession}. */
export interface StoredSessionOptions<S extends StoredSession> {
  /** The very store that the library has. */
  readonly store: SessionStore<S>
  /** The secret by which the library signs the cookie, or several while one replaces the other. */
  readonly secret: Secret | readonly Secret[]
}

/** Options of {@link fastifySession}. */
export interface FastifySessionOptions<S extends StoredSession> extends StoredSessionOptions<S> {
  /** As you give it to the plugin: `s:` where its cookies are to look like those of express-session. Default: none. */
  readonly cookiePrefix?: string
}

/**
 * Verifies the cookie of express-session, `connect.sid` unless you named it: its signature, then the session in the store.
 * The session ends when its cookie does; a rolling one is prolonged, and one that was destroyed ended, where the guard has
 * `life.recheck`. What the store still has when that end is over was used since: then it ends a whole `maxAge` from now at
 * the latest. `guard.revoke({ session: hash(request.sessionID) })` ends it at once.
 *
 * An error of the store is `UnavailableError`.
 *
 * @throws ConfigurationError without a secret or a store
 */
export function expressSession<S extends StoredSession, I extends Identity>(
  options: StoredSessionOptions<S>,
  identify: IdentifySession<S, I>,
): Verifier<Known<I>> {
  return storedSession('expressSession', 's:', options, identify, endOfKept)
}

/** The same for `@fastify/session`, whose cookie is `sessionId`. It ends when its cookie does, whatever the store still has. */
export function fastifySession<S extends StoredSession, I extends Identity>(
  options: FastifySessionOptions<S>,
  identify: IdentifySession<S, I>,
): Verifier<Known<I>> {
  return storedSession('fastifySession', options.cookiePrefix ?? '', options, identify, endOf)
}

function storedSession<S extends StoredSession, I extends Identity>(
  owner: string,
  prefix: string,
  { store, secret }: StoredSessionOptions<S>,
  identify: IdentifySession<S, I>,
  end: (session: S, now: number) => number | undefined,
): Verifier<Known<I>> {
  const secrets = checkedSecrets(owner, secret)
  if (typeof store?.get !== 'function') {
    throw new ConfigurationError(
      'option-required',
      `${owner}: store has no get; give the store that you give to the library`,
    )
  }
  return session<I>(async (value, { now }) => {
    const id = value.startsWith(prefix) ? unsigned(value.slice(prefix.length), secrets) : undefined
    const found = id === undefined ? undefined : await load(store, id)
    const identity = found && (await identify(found))
    if (id === undefined || !identity) return undefined
    return { identity, expiresAt: end(found, now), session: hash(id) }
  })
}

/** When a session ends, as it was written. */
function endOf({ cookie }: StoredSession): number | undefined {
  return cookie?.expires ? new Date(cookie.expires).getTime() : undefined
}

/**
 * The same where the library leaves it to the store to drop what is over. When a session is used and nothing in it changes,
 * stores as those of Redis and of PostgreSQL move an end of their own, and leave the one that is written.
 */
function endOfKept(session: StoredSession, now: number): number | undefined {
  const [written, age] = [endOf(session), session.cookie?.originalMaxAge]
  return written !== undefined && written <= now && typeof age === 'number' ? now + age : written
}

function load<S>(store: SessionStore<S>, id: string): Promise<S | null | undefined> {
  return new Promise((resolve, reject) => {
    store.get(id, (error, found) => {
      // How a store of files says that there is none.
      if (error && !hasCode(error, 'ENOENT')) reject(new UnavailableError('the session store failed', { cause: error }))
      else resolve(error ? undefined : found)
    })
  })
}

const hasCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code

/** The text before the last dot, where what stands behind is its HMAC by one of the secrets, as `cookie-signature` writes it. */
function unsigned(value: string, secrets: readonly Secret[]): string | undefined {
  const end = value.lastIndexOf('.')
  const text = value.slice(0, Math.max(end, 0))
  const given = Buffer.from(value.slice(end + 1))
  const isBy = (secret: Secret) => {
    const expected = Buffer.from(createHmac('sha256', secret).update(text).digest('base64').replace(/=+$/, ''))
    return expected.length === given.length && timingSafeEqual(expected, given)
  }
  return secrets.some(isBy) ? text : undefined
}

function checkedSecrets(owner: string, secret: Secret | readonly Secret[]): readonly Secret[] {
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  const isSecret = (one: unknown): one is Secret =>
    (typeof one === 'string' || one instanceof Uint8Array) && one.length > 0
  if (secrets.length > 0 && secrets.every(isSecret)) return secrets
  throw new ConfigurationError(
    'option-required',
    `${owner}: secret is required: what the library signs with, one or several, none empty`,
  )
}
