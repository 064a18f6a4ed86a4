import { STATUS_CODES } from 'node:http'
import type { HttpAnswer } from '../../refusals/http-answer.js'

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
