import { type Handler, HttpError, readJson, sendJson } from './http.js'
import { requireLocal, requireOwnPage } from './local.js'
import { clearedCookie, cookieOf, setCookie } from './session-cookie.js'
import type { Sessions } from './sessions.js'
import type { SignToken } from './tokens.js'

const maxBodyBytes = 1024
const maxUserLength = 64
const defaultExpiresIn = 3600
const maxExpiresIn = 86_400

/**
 * `POST /login` `{"user":"ada","expiresIn":3600}`: a demonstration that signs in any name, on this computer only.
 * Answers 200 `{"token","expiresIn"}` and sets the session cookie. A second login of the same user joins the session.
 */
export function login(sessions: Sessions, sign: SignToken, origins: readonly string[]): Handler {
  return async (req, res) => {
    requireLocal(req, origins)
    const { user, expiresIn } = readLogin(await readJson(req, maxBodyBytes))
    const { session, cookie } = await sessions.open(user, expiresIn * 1000, cookieOf(req))
    const token = await sign(session, expiresIn)
    const maxAge = Math.ceil((session.expiresAt - sessions.clock.now()) / 1000)
    sendJson(res, 200, { token, expiresIn }, { 'set-cookie': setCookie(cookie, maxAge) })
  }
}

/**
 * `POST /session`: who the session of the cookie is of, and a token for the rest of it: 200 `{"user","token","expiresIn"}`,
 * `{"user":null}` without one. For a page that has been loaded again.
 */
export function resume(sessions: Sessions, sign: SignToken, origins: readonly string[]): Handler {
  return async (req, res) => {
    requireOwnPage(req, origins)
    const session = await sessions.find(cookieOf(req))
    const expiresIn = session ? Math.floor((session.expiresAt - sessions.clock.now()) / 1000) : 0
    if (!session || expiresIn < 1) return sendJson(res, 200, { user: null })
    sendJson(res, 200, { user: session.user, token: await sign(session, expiresIn), expiresIn })
  }
}

/** `POST /logout`: ends the session of the cookie and hands its id to `ended`; 204 also where there was none. */
export function logout(
  sessions: Sessions,
  origins: readonly string[],
  ended: (session: string) => Promise<void>,
): Handler {
  return async (req, res) => {
    requireLocal(req, origins)
    const session = await sessions.end(cookieOf(req))
    if (session) await ended(session.id)
    res.writeHead(204, { 'set-cookie': clearedCookie, 'cache-control': 'no-store' }).end()
  }
}

function readLogin(body: unknown): { user: string; expiresIn: number } {
  if (typeof body !== 'object' || body === null) throw new HttpError(400, 'Send an object such as {"user":"ada"}')
  const user = 'user' in body && typeof body.user === 'string' ? body.user.trim() : ''
  if (user === '' || user.length > maxUserLength) {
    throw new HttpError(400, `"user" must be a name of 1 to ${maxUserLength} characters, such as {"user":"ada"}`)
  }
  const expiresIn = 'expiresIn' in body ? body.expiresIn : defaultExpiresIn
  if (typeof expiresIn !== 'number' || !Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > maxExpiresIn) {
    throw new HttpError(400, `"expiresIn" must be whole seconds from 1 to ${maxExpiresIn}, such as 3600`)
  }
  return { user, expiresIn }
}
