import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** The parameters of a path, decoded. */
export type PathParams = Readonly<Record<string, string>>

/**
 * An HTTP request as a value: a WebSocket handshake, or a call of one of the routes. It is all that the guard sees, so
 * that every decision can be tested without a socket.
 */
export interface Handshake {
  /** The HTTP method, upper case. */
  readonly method: string
  /** The request target as it came (RFC 9112 section 3.2). */
  readonly target: string
  /** `1.1`, or absent where the runtime does not tell. */
  readonly httpVersion?: string
  /** The header lines in the order they came, names in lower case. A repeated header is repeated here. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The peer's address, as the transport sees it; `unix` over a Unix socket; empty where the runtime does not tell. */
  readonly address: string
  /** The credential that the first message brings, once it has come; empty when it is malformed. */
  readonly message?: string
  /** Whether its transport was opened before, by a request of its own, so that this one need be no WebSocket handshake. */
  readonly isOpen?: boolean
  /** The parameters of its path, where the route's path has some. */
  readonly params?: PathParams
  /**
   * The runtime's own request, for code of yours that needs it whole, such as the middleware of a session library:
   * `IncomingMessage` from {@link fromNode}, `Request` from {@link fromFetch}. The guard does not look at it.
   */
  readonly request?: IncomingMessage | Request
}

/** What stands for the address of a peer that came over a Unix socket. */
export const unixSocket = 'unix'

/**
 * The handshake of a Node.js request, and the parameters of its path. Its target is what the client asked for, also where
 * a framework has cut it.
 */
export function fromNode(
  request: IncomingMessage & { readonly originalUrl?: unknown },
  params?: PathParams,
): Handshake {
  const { rawHeaders, originalUrl, url = '' } = request
  const headers = new Array<[string, string]>(rawHeaders.length >> 1)
  for (let i = 0; i < headers.length; i += 1) {
    headers[i] = [rawHeaders[2 * i]!.toLowerCase(), rawHeaders[2 * i + 1]!]
  }
  return {
    method: request.method ?? '',
    target: typeof originalUrl === 'string' ? originalUrl : url,
    httpVersion: request.httpVersion,
    headers,
    address: request.socket.remoteAddress ?? (isUnix(request.socket) ? unixSocket : ''),
    ...(params && { params }),
    request,
  }
}

/** Whether there is no address because there can be none. A TCP peer that has reset the connection has none left either. */
const isUnix = (socket: Socket): boolean => !socket.destroyed && socket.localAddress === undefined

/**
 * The handshake of a fetch `Request`. `address` is the peer's, where the runtime tells it.
 *
 * The path is that of the text, which some runtimes keep as it came; a URL parser would take its dot segments away. What a
 * header that may come once has joined is taken apart again, so that it is seen to have come twice.
 */
export function fromFetch(request: Request, address = ''): Handshake {
  const target = request.url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*|#.*/gi, '')
  const headers: [string, string][] = []
  for (const line of request.headers) {
    const [name, value] = line
    if (isSingle.has(name) && value.includes(', ')) for (const one of value.split(', ')) headers.push([name, one])
    else headers.push(line)
  }
  return { method: request.method, target: target.startsWith('/') ? target : `/${target}`, headers, address, request }
}

const isSingle: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'authorization',
  'upgrade',
  'content-length',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-fetch-mode',
])

// Node.js drops, without a word, what comes behind a thousand header lines.
const maxHeaders = 500

/** Whether there are so many headers that others, which decide something, may have been dropped. */
export const mayHideHeaders = ({ headers }: Handshake): boolean => headers.length > maxHeaders

/** What {@link singleHeader} answers when a header that may come once came twice. */
export const repeated = Symbol('repeated')

/** Reads a header that a request may have once; `undefined` when it is absent. */
export function singleHeader({ headers }: Handshake, name: string): string | undefined | typeof repeated {
  let value: string | undefined
  for (const header of headers) {
    if (header[0] !== name) continue
    if (value !== undefined) return repeated
    value = header[1]
  }
  return value
}

/** A request target taken apart: nothing decoded, nothing normalised. */
export interface Target {
  readonly path: string
  /** What follows the `?`; empty when there is none. */
  readonly query: string
}

const pathSyntax = /^(?:\/(?:[\w\-.~!$&'()*+,;=:@]|%[0-9A-F]{2})*)+$/
// Empty and dot segments; escapes of characters that need none, of slashes, backslashes and controls.
const notCanonical = /\/(?:\.{1,2})?\/|\/\.{1,2}$|%(?:[01].|2[DEF]|3\d|4[^0]|5[0-9ACF]|6[^0]|7[0-9AEF])/

/**
 * Reads a request target in origin-form (RFC 9112 section 3.2.1). `undefined` unless its path has the one canonical
 * spelling, so that no two readers can disagree about which path was asked for.
 */
export function readTarget(target: string): Target | undefined {
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  if (path !== canonical) {
    if (!pathSyntax.test(path) || notCanonical.test(path)) return undefined
    canonical = path
  }
  return { path: canonical, query: mark === -1 ? '' : target.slice(mark + 1) }
}

/** The last path that was found to be canonical: most ask for the same, and need not be read again, nor kept twice. */
let canonical = '/'

/** The values of a repeated field, joined as RFC 9110 section 5.3 allows; empty when the header is absent. */
export function listHeader({ headers }: Handshake, name: string): string[] {
  const items: string[] = []
  for (const header of headers) {
    if (header[0] !== name) continue
    const value = header[1].toLowerCase()
    // Most have one item, and to split that costs as much as all else here.
    if (!value.includes(',')) items.push(trimmed(value))
    else for (const item of value.split(',')) items.push(trimmed(item))
  }
  return items
}

/** Without the white space that HTTP allows around a value (RFC 9110 section 5.6.3); other white space belongs to it. */
export const trimmed = (value: string): string => {
  let start = 0
  let end = value.length
  while (isBlank(value[start])) start += 1
  while (end > start && isBlank(value[end - 1])) end -= 1
  return value.slice(start, end)
}

/** Whether it is the white space that HTTP allows around a value. */
export const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t'
