import { STATUS_CODES } from 'node:http'
import { type CodeName, codes } from '@sallyport/protocol'

/** An HTTP response as a value. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const goingDown = 'This node is going down. Wait as Retry-After says, then try again: another one will answer.'

/** What a caller does about it, in the body. One text for all causes. */
const advice: Partial<Record<CodeName, string>> = {
  unauthenticated: 'Present a valid credential, such as Authorization: Bearer …, or sign in again.',
  forbidden: 'This origin or identity may not connect here. List the origin in the options of the guard to allow it.',
  limited: 'Wait as Retry-After says, then try again.',
  unavailable: 'Nothing is wrong with the credential. Wait as Retry-After says, then try again.',
  restart: goingDown,
  goingAway: goingDown,
  badRequest: 'Present exactly one credential, in the form that the protocol describes.',
  methodNotAllowed: 'Use the method that Allow names.',
  upgradeRequired: 'Open a WebSocket of version 13 here.',
  notFound: 'Nothing is served at this path.',
}

const extraHeaders: Partial<Record<CodeName, Readonly<Record<string, string>>>> = {
  unauthenticated: { 'WWW-Authenticate': 'Bearer' },
  limited: { 'Retry-After': '10' },
  unavailable: { 'Retry-After': '5' },
  // Another node takes it.
  restart: { 'Retry-After': '1' },
  goingAway: { 'Retry-After': '1' },
  upgradeRequired: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
}

/** The HTTP response that tells a code: a JSON body `{ error, message }`, never cached. */
export function refusalAnswer(code: CodeName, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const row = codes[code]
  const status = 'status' in row ? row.status : codes.internal.status
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...extraHeaders[code], ...headers },
    body: JSON.stringify({ error: code, message: advice[code] ?? row.reason }),
  }
}

/** A whole HTTP/1.1 response that ends the connection: for a raw socket, where the upgrade left no one to write it. */
export function toHttp1({ status, headers, body }: HttpAnswer): string {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    // Who sends Upgrade must name it here too (RFC 9110 section 7.8).
    `Connection: ${'Upgrade' in headers ? 'close, Upgrade' : 'close'}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
