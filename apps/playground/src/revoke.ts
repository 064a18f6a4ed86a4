import type { IncomingMessage } from 'node:http'
import type { Guard } from '@sallyport/server'
import { type Handler, HttpError, readJson } from './http.js'
import { requireOwnPage } from './local.js'
import { clearedCookie, cookieOf } from './session-cookie.js'
import type { Session } from './session-stores.js'
import type { Sessions } from './sessions.js'

/** What the routes that take access away work with. */
export interface RevokeOptions {
  readonly guard: Guard
  readonly sessions: Sessions
  readonly origins: readonly string[]
}

const maxBodyBytes = 1024

/**
 * `POST /revoke` `{"connection":"…"}`: closes one connection of the user of the session cookie; 204. Its credential stays
 * good. 403 without a session, 404 where the user has no such connection, whoever else may have it.
 */
export function revokeConnection({ guard, sessions, origins }: RevokeOptions): Handler {
  return async (req, res) => {
    requireOwnPage(req, origins)
    const connection = readConnection(await readJson(req, maxBodyBytes))
    // Asked last, so that nothing comes between the answer and what is done by it.
    const { user } = await requireSession(req, sessions)
    if (guard.connections.get(connection)?.identity.id !== user) {
      throw new HttpError(404, 'You have no such connection: it may be closed by now')
    }
    await guard.revoke({ connection })
    res.writeHead(204, { 'cache-control': 'no-store' }).end()
  }
}

/**
 * `POST /logout-everywhere`: ends every session of the user of the session cookie, and refuses what was issued to them
 * until now, wherever it is; 204. 403 without a session.
 */
export function logoutEverywhere({ guard, sessions, origins }: RevokeOptions): Handler {
  return async (req, res) => {
    requireOwnPage(req, origins)
    const { user } = await requireSession(req, sessions)
    await sessions.endAll(user)
    await guard.revoke({ user })
    res.writeHead(204, { 'set-cookie': clearedCookie, 'cache-control': 'no-store' }).end()
  }
}

async function requireSession(req: IncomingMessage, sessions: Sessions): Promise<Session> {
  const session = await sessions.find(cookieOf(req))
  if (!session) throw new HttpError(403, 'Sign in first')
  return session
}

function readConnection(body: unknown): string {
  const connection = typeof body === 'object' && body !== null && 'connection' in body ? body.connection : ''
  if (typeof connection === 'string' && connection !== '') return connection
  throw new HttpError(400, 'Send the id of a connection, such as {"connection":"…"}')
}
