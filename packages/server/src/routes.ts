import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkedGuard, type Guard } from './guard/guard.js'
import { type Body, type BodyFault, type BodySource, fetchBody, nodeBody, readBody } from './handshake/body.js'
import { isAnyPath, pathReader, type RoutePath } from './handshake/path.js'
import { fromFetch, fromNode, type Handshake, listHeader, readTarget, singleHeader } from './handshake/request.js'
import { asksForWebSocket } from './handshake/upgrade.js'
import type { Identity } from './identity.js'
import type { Place } from './limits/pending.js'
import { type HttpAnswer, refusalAnswer } from './refusals/http-answer.js'
import { checkedFunction, checkedObject } from './support/checked-kind.js'
import type { LogoutVerifier } from './verifiers/logout.js'

/** Options of {@link createRoutes}. */
export interface RoutesOptions {
  /**
   * The paths of the WebSocket route as `guardServer` takes them, as clients ask for them. The routes are behind each:
   * `/ws/ticket` of `/ws`, and the ticket of `/yjs/plans/ticket` is good for `/yjs/plans` alone of `/yjs/:room`. A slash
   * at the end of a path belongs to the WebSocket route alone.
   */
  readonly path: RoutePath
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

/** A call of a route. */
interface Call {
  readonly request: Handshake
  /** The path of the WebSocket that the route is behind. */
  readonly path: string
  readonly body: BodySource
  /** Its place among the undecided. */
  readonly place: Place
}

/** What a route does. */
type Route = (call: Call) => Promise<HttpAnswer>

/**
 * Looks for what has been revoked, where nothing does so in the background: before anything is decided. `undefined`: that is
 * known.
 */
export type Look = () => Promise<unknown> | undefined

/**
 * The routes of a guard, for callers who show who they are by a Bearer or a cookie:
 *
 * - `POST {path}/ticket` answers 201 `{"ticket","expiresIn"}`;
 * - `POST {path}/renew` with the body `{"connection":"…"}` extends that connection, without a body all of the caller's
 *   session; answers 200 `{"expiresIn"}`;
 * - `POST {path}/backchannel-logout` with a `logout_token`, from an OpenID provider, revokes what the token names; answers
 *   200, or 400 when the token is bad or the logout failed (OpenID Connect Back-Channel Logout 1.0 section 2.8);
 * - `GET {path}` that is neither a WebSocket handshake nor a page load answers 426; not where the path is made of
 *   parameters alone, such as `/:room`, which every file of a site would be one of.
 *
 * A body that a framework has parsed is taken from `request.body`.
 *
 * Errors have a JSON body `{"error","message"}`: 400, 401 without a good credential, 403 from a foreign origin, 404 for a
 * connection that is not there, 405, 408, 413, 429, 431, 500, 503 when the store is down.
 *
 * @throws ConfigurationError when an option cannot work
 */
export function createRoutes<I extends Identity>(guard: Guard<I>, options: RoutesOptions): Routes {
  return routesOf(guard, options)
}

/** The same where a call that one of them takes waits for a look. */
export function routesOf<I extends Identity>(guard: Guard<I>, options: RoutesOptions, look?: Look): Routes {
  checkedGuard('createRoutes', guard)
  const { path, logoutToken } = checkedObject('createRoutes', 'options', options, "{ path: '/ws' }")
  if (logoutToken !== undefined)
    checkedFunction('createRoutes', 'logoutToken', logoutToken, 'what logoutToken() answers')
  const readPath = pathReader('createRoutes', path)
  const isOwn = !isAnyPath(path)

  /** What a body means; a refusal when it is not there in time, or means nothing. */
  async function read<T>({ request, body: source, place }: Call, meaning: (body: Body) => T | BodyFault) {
    // Who takes time for it does not keep out who needs none.
    const body = await readBody(source, guard.clock, (evict) => place.wait(evict))
    const meant = 'fault' in body ? body : meaning(body)
    if (typeof meant !== 'object' || meant === null || !('fault' in meant)) return meant
    // What was not read in time would be taken for the next request.
    const headers = meant.fault === 'body-late' || meant.fault === 'pending' ? { Connection: 'close' } : {}
    return refusalAnswer(guard.refuse(request, meant.fault), headers)
  }

  const routes = new Map<string, Route>([
    [
      '/ticket',
      async ({ request, path }) => {
        const issued = await guard.issueTicket(request, path)
        return 'reason' in issued ? refusalAnswer(issued) : jsonAnswer(201, issued)
      },
    ],
    [
      '/renew',
      async (call) => {
        const connection = await read(call, readConnectionId)
        if (typeof connection === 'object') return connection
        const renewed = await guard.renew(call.request, connection)
        return 'reason' in renewed ? refusalAnswer(renewed) : jsonAnswer(200, renewed)
      },
    ],
  ])

  if (logoutToken) {
    routes.set('/backchannel-logout', async (call) => {
      const token = await read(call, readLogoutToken)
      if (typeof token === 'object') return token
      const done = await guard.logOut(call.request, token, logoutToken)
      if (!('reason' in done)) return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: '' }
      // Whether the request was wrong or the logout failed (section 2.8).
      return refusalAnswer({ code: 'badRequest' })
    })
  }

  /** The path of the WebSocket that a route is behind. */
  const pathBefore = (base: string) => [base, `${base}/`].find((path) => path !== '' && readPath(path))

  async function answer(request: Handshake, body: BodySource) {
    const asked = readTarget(request.target)?.path
    if (asked === undefined) return undefined
    const mark = asked.lastIndexOf('/')
    const route = routes.get(asked.slice(mark))
    const isProbe = isOwn && request.method === 'GET' && !asksForPage(request) && !asksForWebSocket(request)
    if (!route && !isProbe) return undefined
    let path: string | undefined
    try {
      if (isProbe && readPath(asked)) return refusalAnswer(guard.refuse(request, 'not-a-websocket'))
      path = pathBefore(asked.slice(0, mark))
    } catch (error) {
      return refusalAnswer(guard.refuse(request, 'internal-error', error))
    }
    return route && path !== undefined ? take(route, { request, path, body }) : undefined
  }

  /** Takes a call, if there is a place for it: what it costs until it is decided is bounded as that of a handshake. */
  async function take(route: Route, call: Omit<Call, 'place'>): Promise<HttpAnswer> {
    const place = guard.enter(call.request)
    if ('reason' in place) return refusalAnswer(place)
    try {
      if (look) await look()
      return await answerPage(route, { ...call, place })
    } finally {
      place.leave()
    }
  }

  /** Answers so that a page of an allowed origin may read it. */
  async function answerPage(route: Route, call: Call): Promise<HttpAnswer> {
    const { request } = call
    const allowed = await guard.allowsOrigin(request)
    if (typeof allowed === 'object') return refusalAnswer(allowed)
    const origin = singleHeader(request, 'origin')
    const cors = allowed && typeof origin === 'string' ? corsHeaders(origin) : undefined
    if (request.method === 'OPTIONS' && cors) return preflightAnswer(request, cors)
    if (request.method !== 'POST') {
      return refusalAnswer(guard.refuse(request, 'method-not-allowed'), { ...cors, Allow: 'POST' })
    }
    const answered = await route(call)
    return { ...answered, headers: { ...answered.headers, ...cors } }
  }

  return {
    async fetch(request, address) {
      const answered = await answer(fromFetch(request, address), fetchBody(request))
      return answered && new Response(answered.status === 204 ? null : answered.body, answered)
    },
    async node(request, response) {
      const answered = await answer(fromNode(request), nodeBody(request))
      if (!answered) return false
      // A 204 has no body, and must not tell the length of one (RFC 9110 section 8.6).
      const length = answered.status !== 204 && { 'Content-Length': Buffer.byteLength(answered.body) }
      // Who sends Upgrade must name it here too (RFC 9110 section 7.8).
      const upgrade = answered.status === 426 && { Connection: 'Upgrade' }
      response.writeHead(answered.status, { ...answered.headers, ...length, ...upgrade })
      response.end(answered.body)
      return true
    },
  }
}

function jsonAnswer(status: number, value: object): HttpAnswer {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
  return { status, headers, body: JSON.stringify(value) }
}

/** The connection that the body of a renewal names; `undefined` when the body is empty. */
function readConnectionId(body: Body): string | undefined | BodyFault {
  if ('text' in body && body.text.trim() === '') return undefined
  try {
    const value: unknown = 'text' in body ? JSON.parse(body.text) : body.parsed
    const id = fieldOf(value, 'connection')
    if (typeof id === 'string' && id !== '') return id
  } catch {}
  return { fault: 'body-malformed' }
}

/** The token that the form of a provider holds; empty when it holds none. */
function readLogoutToken(body: Body): string {
  const token =
    'text' in body ? new URLSearchParams(body.text).get('logout_token') : fieldOf(body.parsed, 'logout_token')
  return typeof token === 'string' ? token : ''
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined

/** Whether a browser loads a page, which may be the application's own. */
const asksForPage = (request: Handshake): boolean =>
  listHeader(request, 'accept').some((type) => type.startsWith('text/html'))

const headerNames = /^[\w!#$%&'*+\-.^`|~, ]{1,1024}$/

/** Lets an allowed page send whatever headers it asks for: we read none but those that say who calls. */
function preflightAnswer(request: Handshake, cors: Readonly<Record<string, string>>): HttpAnswer {
  const asked = singleHeader(request, 'access-control-request-headers')
  const allowed = typeof asked === 'string' && headerNames.test(asked) ? asked : 'Authorization, Content-Type'
  const headers = {
    ...cors,
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': allowed,
    'Access-Control-Max-Age': '600',
  }
  return { status: 204, headers, body: '' }
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
