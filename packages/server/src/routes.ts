import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from './guard/guard.js'
import { fromFetch, fromNode, type Handshake, readTarget, singleHeader } from './handshake/request.js'
import type { Identity } from './identity.js'
import { type HttpAnswer, refusalAnswer } from './refusals/http-answer.js'
import type { Reason } from './refusals/reasons.js'
import type { LogoutVerifier } from './verifiers/logout.js'

/** Options of {@link createRoutes}. */
export interface RoutesOptions {
  /** The path of the WebSocket route, such as `/ws`; the others are `/ws/ticket` and `/ws/renew`. */
  readonly path: string
  /**
   * Reads the logout tokens of an OpenID provider: `logoutToken(…)` of `@sallyport/server/jwt`. Opens the route
   * `{path}/backchannel-logout`, which is the URI to register at the provider. Default: no such route.
   */
  readonly logoutToken?: LogoutVerifier
}

/** The guard's HTTP routes, for any server. */
export interface Routes {
  /**
   * Answers a fetch `Request`; `undefined` when it is for none of the routes. `address` is the peer's, where the runtime
   * tells it; without one there is no limit by address.
   */
  fetch(request: Request, address?: string): Promise<Response | undefined>
  /** Answers a Node.js request; `false` when it is for none of the routes, and nothing was done. */
  node(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/** What a route does: with the request, and its body when it asks for one. */
type Route = (request: Handshake, readBody: () => Promise<string | Fault>) => Promise<HttpAnswer>

/** A body as it comes. */
type Body = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** What is wrong with a request before the guard is asked. */
interface Fault {
  readonly fault: Reason
}

const maxBodyBytes = 16_384
// What is longer is still read so far, because a body that is left unread takes the response with it.
const maxDroppedBytes = 65_536

/**
 * The routes of a guard, for callers who show who they are by a Bearer or a cookie:
 *
 * - `POST {path}/ticket` answers 201 `{"ticket","expiresIn"}`;
 * - `POST {path}/renew` with the body `{"connection":"…"}` extends that connection, without a body all of the caller's
 *   session; answers 200 `{"expiresIn"}`.
 * - `POST {path}/backchannel-logout` with a `logout_token`, from an OpenID provider, revokes what the token names; answers
 *   200 (OpenID Connect Back-Channel Logout 1.0 section 2.8).
 *
 * Errors have a JSON body `{"error","message"}`: 400, 401 without a good credential, 403 from a foreign origin, 404 for a
 * connection that is not there, 405, 413, 429, 503 when the store is down.
 */
export function createRoutes<I extends Identity>(guard: Guard<I>, { path, logoutToken }: RoutesOptions): Routes {
  const refused = (request: Handshake, { fault }: Fault) => refusalAnswer(guard.refuse(request, fault))
  const routes = new Map<string, Route>([
    [
      `${path}/ticket`,
      async (request) => {
        const issued = await guard.issueTicket(request, path)
        return 'reason' in issued ? refusalAnswer(issued) : jsonAnswer(201, issued)
      },
    ],
    [
      `${path}/renew`,
      async (request, readBody) => {
        const body = await readBody()
        const connection = typeof body === 'string' ? readConnectionId(body) : body
        if (typeof connection === 'object') return refused(request, connection)
        const renewed = await guard.renew(request, connection)
        return 'reason' in renewed ? refusalAnswer(renewed) : jsonAnswer(200, renewed)
      },
    ],
  ])

  if (logoutToken) {
    routes.set(`${path}/backchannel-logout`, async (request, readBody) => {
      const body = await readBody()
      if (typeof body === 'object') return refused(request, body)
      const token = new URLSearchParams(body).get('logout_token') ?? ''
      const done = await guard.logOut(request, token, logoutToken)
      if (!('reason' in done)) return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: '' }
      // The provider has no credential to renew: what is wrong is wrong with the request.
      return refusalAnswer(done.code === 'unauthenticated' ? { code: 'badRequest' } : done)
    })
  }

  async function answer(request: Handshake, body: Body) {
    const route = routes.get(readTarget(request.target)?.path ?? '')
    if (!route) return undefined
    const allowed = await guard.allowsOrigin(request)
    if (typeof allowed === 'object') return refusalAnswer(allowed)
    const origin = singleHeader(request, 'origin')
    const cors = allowed && typeof origin === 'string' ? corsHeaders(origin) : undefined
    if (request.method === 'OPTIONS' && cors) return { status: 204, headers: { ...cors, ...preflight }, body: '' }
    if (request.method !== 'POST') {
      return refusalAnswer(guard.refuse(request, 'method-not-allowed'), { ...cors, Allow: 'POST' })
    }
    const answered = await route(request, () => readText(body))
    return { ...answered, headers: { ...answered.headers, ...cors } }
  }

  return {
    async fetch(request, address) {
      const answered = await answer(fromFetch(request, address), request.body ?? [])
      return answered && new Response(answered.status === 204 ? null : answered.body, answered)
    },
    async node(request, response) {
      const answered = await answer(fromNode(request), request)
      if (!answered) return false
      // A 204 has no body, and must not tell the length of one (RFC 9110 section 8.6).
      const length = answered.status !== 204 && { 'Content-Length': Buffer.byteLength(answered.body) }
      response.writeHead(answered.status, { ...answered.headers, ...length })
      response.end(answered.body)
      return true
    },
  }
}

function jsonAnswer(status: number, value: object): HttpAnswer {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
  return { status, headers, body: JSON.stringify(value) }
}

/** Reads a body that is no longer than any of ours. */
async function readText(body: Body): Promise<string | Fault> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes <= maxBodyBytes) chunks.push(chunk)
      else if (bytes > maxDroppedBytes) break
    }
  } catch {
    // The client has left in the middle of it.
    return { fault: 'body-malformed' }
  }
  return bytes <= maxBodyBytes ? Buffer.concat(chunks).toString() : { fault: 'body-too-large' }
}

/** The connection that the body of a renewal names; `undefined` when the body is empty. */
function readConnectionId(body: string): string | undefined | Fault {
  if (body.trim() === '') return undefined
  try {
    const value: unknown = JSON.parse(body)
    const id = typeof value === 'object' && value !== null && 'connection' in value ? value.connection : ''
    if (typeof id === 'string' && id !== '') return id
  } catch {}
  return { fault: 'body-malformed' }
}

const preflight = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '600',
}

/** For a page of an allowed origin elsewhere (Fetch standard, CORS protocol). A foreign origin gets none. */
function corsHeaders(origin: string): Record<string, string> {
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Retry-After',
    Vary: 'Origin',
  }
}
