import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from './guard.js'
import type { Identity } from './identity.js'
import { type HttpAnswer, refusalAnswer } from './refusal.js'
import { fromFetch, fromNode, type Handshake, readTarget, repeated, singleHeader } from './request.js'

/** Options of {@link createRoutes}. */
export interface RoutesOptions {
  /** The path of the WebSocket route, such as `/ws`; the ticket route is `/ws/ticket`. */
  readonly path: string
}

/** The guard's HTTP routes, for any server. */
export interface Routes {
  /**
   * Answers a fetch `Request`; `undefined` when it is for none of the routes. `address` is the peer's, where the runtime
   * tells it.
   */
  fetch(request: Request, address?: string): Promise<Response | undefined>
  /** Answers a Node.js request; `false` when it is for none of the routes, and nothing was done. */
  node(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/**
 * The routes of a guard.
 *
 * `POST {path}/ticket` with a Bearer or a cookie answers 201 `{"ticket","expiresIn"}`, or an error with a JSON body:
 * 401 without a good credential, 403 from a foreign origin, 405, 429 with too many tickets outstanding, 503 when the
 * store is down.
 */
export function createRoutes<I extends Identity>(guard: Guard<I>, { path }: RoutesOptions): Routes {
  const ticketPath = `${path}/ticket`

  async function answer(request: Handshake): Promise<HttpAnswer | undefined> {
    if (readTarget(request.target)?.path !== ticketPath) return undefined
    const cors = corsHeaders(guard, request)
    if (request.method === 'OPTIONS' && cors) return { status: 204, headers: { ...cors, ...preflight }, body: '' }
    if (request.method !== 'POST') return refusalAnswer('methodNotAllowed', { ...cors, Allow: 'POST' })
    const issued = await guard.issueTicket(request, path)
    if ('reason' in issued) return refusalAnswer(issued.code, cors)
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...cors }
    return { status: 201, headers, body: JSON.stringify(issued) }
  }

  return {
    async fetch(request, address) {
      const answered = await answer(fromFetch(request, address))
      return answered && new Response(answered.status === 204 ? null : answered.body, answered)
    },
    async node(request, response) {
      const answered = await answer(fromNode(request))
      if (!answered) return false
      response.writeHead(answered.status, { ...answered.headers, 'Content-Length': Buffer.byteLength(answered.body) })
      response.end(answered.body)
      return true
    },
  }
}

const preflight = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '600',
}

/** For a page of an allowed origin elsewhere (Fetch standard, CORS protocol). A foreign origin gets none. */
function corsHeaders<I extends Identity>(guard: Guard<I>, request: Handshake): Record<string, string> | undefined {
  const origin = singleHeader(request, 'origin')
  if (origin === undefined || origin === repeated || !guard.originPolicy?.(origin)) return undefined
  return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' }
}
