import type { IncomingMessage } from 'node:http'
import { HttpError } from './http.js'

const loopbackAddress = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/**
 * Lets only this machine's own user through: the peer is on loopback, the name it asked for is loopback too (a rebound
 * DNS name is not), and a page that asks is one of ours. 403 otherwise.
 */
export function requireLocal(req: IncomingMessage, origins: readonly string[]): void {
  const { host, origin } = req.headers
  const local = loopbackAddress.test(req.socket.remoteAddress ?? '') && loopbackHost.test(host ?? '')
  if (!local) throw new HttpError(403, `This works on the playground's own computer only: open ${origins[0]} there`)
  if (origin !== undefined && !origins.includes(origin)) {
    throw new HttpError(403, `This is for the playground's own page only: open ${origins[0]}`)
  }
}

/**
 * Lets only a page of ours through, on this machine: as {@link requireLocal}, but who tells no origin is refused too.
 * Browsers tell it with every POST.
 */
export function requireOwnPage(req: IncomingMessage, origins: readonly string[]): void {
  requireLocal(req, origins)
  if (req.headers.origin === undefined) throw new HttpError(403, `Send the Origin of the page, such as ${origins[0]}`)
}

/** The addresses by which this machine's own browser may know the playground. */
export function ownUrls(port: number): URL[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map((host) => new URL(`http://${host}:${port}`))
}
