import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Identity } from '../../identity.js'
import { ConfigurationError, UnavailableError } from '../../support/errors.js'
import { isName, kindOf } from '../../support/kind-of.js'
import { type FindSession, type Session, session } from '../session.js'
import type { Known, Verifier } from '../verifier.js'

/** Middleware as Connect, Express and passport have it. */
export type Middleware<R> = (request: R, response: never, next: (error?: unknown) => void) => unknown

/** Options of {@link nodeMiddleware}. */
export interface NodeMiddlewareOptions<R> {
  /** The name of the cookie, which is all that the middleware gets to see. */
  readonly cookie: string
  /** What runs, in order. The first says what a request is: `session(…)`, then `passport.session()`. */
  readonly use: readonly [Middleware<R>, ...Middleware<never>[]]
}

/**
 * Verifies a cookie by the middleware that reads it over HTTP, such as passport's: it runs for a request that has the cookie
 * and the path of the handshake, and nothing else. `find` then says whose the request is, like that of `session`.
 *
 * Middleware that answers the request by itself, as with a redirect to the login, refuses the cookie; so does an error with
 * the `status` 401 or 403. The answer is sent to nobody, and no session is saved. Any other error that it hands to `next` is
 * `UnavailableError`; what it throws is passed on. One that never goes on is late after the guard's `verifyTimeout`.
 *
 * @throws ConfigurationError without the name of a cookie, or when `use` has something else than functions
 */
export function nodeMiddleware<R, I extends Identity>(
  { cookie, use }: NodeMiddlewareOptions<R>,
  find: (request: R) => ReturnType<FindSession<I>>,
): Verifier<Known<I>> {
  if (!isName(cookie)) {
    throw new ConfigurationError(
      'option-required',
      `nodeMiddleware: cookie is ${kindOf(cookie)}; give the name that the cookie method has`,
    )
  }
  if (!Array.isArray(use) || use.length === 0 || !use.every((one) => typeof one === 'function')) {
    throw new ConfigurationError(
      'option-required',
      'nodeMiddleware: use is required: a list of functions (request, response, next)',
    )
  }
  // What middleware takes a request for is known to its own types alone.
  const chain = use as readonly Middleware<unknown>[]
  // Asked for and not imported: the other logins need it not, and run where it is not.
  const http = process.getBuiltinModule('node:http')
  return session<I>(async (value, { handshake }): Promise<Session<I> | null | undefined> => {
    const request = new http.IncomingMessage(new Socket())
    request.method = 'GET'
    request.url = handshake.target.replace(/\?.*$/s, '')
    request.headers.cookie = `${cookie}=${encodeURIComponent(value)}`
    const response = new http.ServerResponse(request)
    for (const middleware of chain) if (!(await goesOn(middleware, request, response))) return undefined
    return find(request as R)
  })
}

/** Runs middleware. Whether it goes on to the next; `false` when it has turned the request away. */
function goesOn(middleware: Middleware<unknown>, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve, reject) => {
    response.end = () => {
      resolve(false)
      return response
    }
    const next = (error?: unknown) => {
      if (!error || isRefusal(error)) resolve(!error)
      else reject(new UnavailableError('middleware could not say whose the cookie is', { cause: error }))
    }
    // It may be asynchronous, and then fails without `next`.
    Promise.resolve(middleware(request, response as never, next)).catch(reject)
  })
}

/** Whether an error is about the request, and not about the server: as `http-errors` and passport write them. */
const isRefusal = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'status' in error && (error.status === 401 || error.status === 403)
