import { randomBytes, randomUUID } from 'node:crypto'
import { type Guard, hash } from '@sallyport/server'
import { SignJWT } from 'jose'
import { secret } from './config.js'
import { audience, issuer, sessionCookie, sessions } from './sessions.js'

/** What comes of a call. */
interface Answer {
  readonly status: number
  readonly body?: object
  readonly cookie?: string
}

/**
 * The application's accounts, which every example has beside its stack: signs in any name, so for this computer only.
 *
 * - `POST /login` `{"user":"ada","expiresIn":3600}` answers `{"token","expiresIn"}`, and sets the session cookie. A second
 *   login of the same user joins the session of the cookie
 * - `POST /logout` ends the session of the cookie, and every connection of it
 * - `GET /health`
 *
 * `undefined`: the call is for something else.
 */
export async function accounts(
  guard: Pick<Guard, 'revoke'>,
  method: string,
  path: string,
  body: string,
  cookie = '',
): Promise<Answer | undefined> {
  if (method === 'GET' && path === '/health') return { status: 200, body: { status: 'ok' } }
  if (method !== 'POST') return undefined
  const value = new RegExp(`${sessionCookie}=([\\w-]+)`).exec(cookie)?.[1] ?? ''
  if (path === '/login') {
    const login = readLogin(body)
    return login ? logIn(login, value) : { status: 400, body: { error: 'send JSON such as {"user":"ada"}' } }
  }
  if (path === '/logout') return logOut(guard, value)
  return undefined
}

interface Login {
  readonly user: string
  /** Seconds. */
  readonly expiresIn: number
}

/** `undefined` for what is no login: whoever sends that must not end the process. */
function readLogin(body: string): Login | undefined {
  try {
    const { user, expiresIn = 3600 } = JSON.parse(body)
    if (typeof user === 'string' && user !== '' && expiresIn > 0 && expiresIn < 1e9) return { user, expiresIn }
  } catch {}
  return undefined
}

async function logIn({ user, expiresIn }: Login, current: string) {
  const cookie = randomBytes(32).toString('base64url')
  const found = sessions.get(hash(current))
  const session = found?.user === user ? found.session : randomUUID()
  const now = Date.now() / 1000
  sessions.set(hash(cookie), { user, session, expiresAt: (now + expiresIn) * 1000 })
  const token = await new SignJWT({ sid: session })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + expiresIn)
    .setJti(randomUUID())
    .sign(secret)
  const attributes = `Max-Age=${expiresIn}; Path=/; HttpOnly; SameSite=Lax`
  return { status: 200, body: { token, expiresIn }, cookie: `${sessionCookie}=${cookie}; ${attributes}` }
}

async function logOut(guard: Pick<Guard, 'revoke'>, cookie: string): Promise<Answer> {
  const found = sessions.get(hash(cookie))
  sessions.delete(hash(cookie))
  if (found) await guard.revoke({ session: found.session })
  return { status: 204, cookie: `${sessionCookie}=; Max-Age=0; Path=/` }
}

/** The same for a fetch `Request`. `undefined`: it is for something else. */
export async function fetchAccountsOf(guard: Pick<Guard, 'revoke'>, request: Request): Promise<Response | undefined> {
  const { pathname } = new URL(request.url)
  const body = pathname.startsWith('/log') ? await request.text() : ''
  const answer = await accounts(guard, request.method, pathname, body, request.headers.get('cookie') ?? '')
  if (!answer) return undefined
  const headers = { 'cache-control': 'no-store', ...(answer.cookie && { 'set-cookie': answer.cookie }) }
  return answer.body ? Response.json(answer.body, { ...answer, headers }) : new Response(null, { ...answer, headers })
}
