import type { IncomingMessage, ServerResponse } from 'node:http'
import { UnavailableError } from '@sallyport/server'
import { type Handler, HttpError, sendJson } from './http.js'

/** Handlers by path and HTTP method. `HEAD` is answered as `GET`, whose body Node.js leaves out. */
export type Routes = readonly (readonly [path: string, methods: Readonly<Partial<Record<'GET' | 'POST', Handler>>>])[]

/** Whether somebody else has answered the request. */
export type Before = (req: IncomingMessage, res: ServerResponse) => Promise<boolean>

/** Makes a request listener: `before`, then the routes, and a JSON error for whatever goes wrong. */
export function createRouter(routes: Routes, before: Before): (req: IncomingMessage, res: ServerResponse) => void {
  const byPath = new Map(routes)

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (await before(req, res)) return
    const methods = byPath.get((req.url ?? '').split('?', 1)[0] ?? '')
    if (!methods) throw new HttpError(404, 'Nothing is served here: open / for the page')
    const handler =
      req.method === 'POST' ? methods.POST : req.method === 'GET' || req.method === 'HEAD' ? methods.GET : undefined
    if (!handler) {
      const allow = methods.GET ? 'GET, HEAD' : 'POST'
      throw new HttpError(405, `Use ${allow}`, { allow })
    }
    await handler(req, res)
  }

  return (req, res) => {
    res.setHeader('x-content-type-options', 'nosniff')
    res.setHeader('referrer-policy', 'no-referrer')
    answer(req, res).catch((error: unknown) => fail(res, error))
  }
}

function fail(res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    res.destroy()
  } else if (error instanceof HttpError) {
    sendJson(res, error.status, { error: error.message }, error.headers)
  } else if (error instanceof UnavailableError) {
    sendJson(res, 503, { error: 'Redis is out of reach: try again' }, { 'retry-after': '5' })
  } else {
    sendJson(res, 500, { error: 'The playground failed. This is a bug of its own.' })
  }
}
