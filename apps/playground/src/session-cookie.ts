import type { IncomingMessage } from 'node:http'
import { parseCookie, stringifySetCookie } from 'cookie'

/** The name of the session cookie. */
export const cookieName = 'session'

/** The session cookie of a request. */
export const cookieOf = (req: IncomingMessage): string | undefined => parseCookie(req.headers.cookie ?? '')[cookieName]

/** The `Set-Cookie` header of the session cookie, for `maxAge` seconds. */
export const setCookie = (value: string, maxAge: number): string =>
  stringifySetCookie({ name: cookieName, value, maxAge, httpOnly: true, sameSite: 'lax', path: '/' })

/** The `Set-Cookie` header that takes the session cookie away. */
export const clearedCookie = setCookie('', 0)
