import { once } from 'node:events'
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { pathToFileURL } from 'node:url'
import { type Clock, systemClock } from '@sallyport/server'
import { type Playground, type PlaygroundOptions, startPlayground } from '../../src/playground.js'
import { buildPage, temporaryDirectory } from './page.js'

/** The key of the tests' tokens. */
export const secret = new TextEncoder().encode('a secret of more than thirty-two bytes')

/** A clock that can be put forward; timers stay the system's. */
export interface ForwardClock extends Clock {
  forward(ms: number): void
}

export function forwardClock(): ForwardClock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    after: systemClock.after,
    forward(ms) {
      ahead += ms
    },
  }
}

/** Starts a playground, on a free port unless told otherwise, with a page of its own. */
export async function start(options: Partial<PlaygroundOptions> = {}): Promise<Playground> {
  const { path, remove } = await temporaryDirectory()
  await buildPage(path)
  const pages = pathToFileURL(`${path}/`)
  const playground = await startPlayground({ host: '127.0.0.1', port: 0, secret, pages, ...options })
  return {
    ...playground,
    async close() {
      await playground.close()
      await remove()
    },
  }
}

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends a request with exactly these headers (`fetch` would not let a test choose its `Host`). */
export async function send(url: string, options: RequestOptions = {}, body?: string): Promise<HttpAnswer> {
  const req = request(url, { agent: false, ...options })
  req.end(body)
  const [res] = await once(req, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of res) chunks.push(chunk)
  return { status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks).toString() }
}

/** Posts JSON. */
export function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  return send(
    url,
    { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
    JSON.stringify(body),
  )
}

/** Signs in and returns what a client keeps: the token, and the cookie as a `Cookie` header. */
export async function signIn(
  playground: Pick<Playground, 'url'>,
  user = 'ada',
  expiresIn = 3600,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ token: string; cookie: string }> {
  const answer = await post(`${playground.url}/login`, { user, expiresIn }, headers)
  const { token } = JSON.parse(answer.body)
  return { token, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
}
