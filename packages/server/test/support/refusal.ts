import { STATUS_CODES } from 'node:http'
import { codes } from '@sallyport/protocol'
import { expect } from 'vitest'
import { RawClient, type RawResponse } from './raw.js'

/** A request that a connection which was not ended would still answer. */
const pipelined = 'GET /second HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

const bytes = (request: string | Buffer) => (typeof request === 'string' ? Buffer.from(request, 'latin1') : request)

/**
 * Sends a handshake with another request right behind it, and expects our refusal: one complete response of that status
 * with all the headers that belong to it, then FIN, and nothing for the other request.
 */
export async function expectRefusal(port: number, request: string | Buffer, status: number): Promise<RawResponse> {
  const client = await RawClient.connect(port)
  client.write(Buffer.concat([bytes(request), Buffer.from(pipelined)]))
  const response = await client.toEnd()
  const ended = client.socket.readableEnded
  client.destroy()

  const { headers, body, text } = response
  expect(text.split('\r\n', 1)[0]).toBe(`HTTP/1.1 ${status} ${STATUS_CODES[status]}`)
  expect(headers.get('connection')).toBe(status === 426 ? 'close, Upgrade' : 'close')
  // Characters are bytes here, so a second response could not hide behind the body.
  expect(headers.get('content-length')).toBe(String(body.length))
  expect(headers.get('content-type')).toBe('application/json')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : undefined)
  expect(headers.get('allow')).toBe(status === 405 ? 'GET' : undefined)
  expect(headers.get('upgrade')).toBe(status === 426 ? 'websocket' : undefined)
  expect(headers.get('sec-websocket-version')).toBe(status === 426 ? '13' : undefined)
  expect(headers.has('retry-after')).toBe(status === 429 || status === 503)
  expect(headers.has('set-cookie')).toBe(false)
  const { error, ...said } = JSON.parse(Buffer.from(body, 'latin1').toString())
  expect(codes).toHaveProperty([error, 'status'], status)
  expect(said).toEqual({ message: expect.any(String) })
  expect(text).not.toContain('good-')
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(ended, 'ended by FIN').toBe(true)
  return response
}

/** Sends a handshake and expects its connection to reach the application, which greets `user` (see `echo`). */
export async function expectAccepted(port: number, request: string | Buffer, user = 'ada'): Promise<RawResponse> {
  const client = await RawClient.connect(port)
  client.write(bytes(request))
  const head = await client.head()
  expect(head.text.split('\r\n', 1)[0]).toBe('HTTP/1.1 101 Switching Protocols')
  // The answer to the sample nonce of RFC 6455 section 1.3.
  expect(head.headers.get('sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  expect(await client.textsUntil(1)).toEqual([`hello ${user}`])
  client.destroy()
  return head
}

/** Sends a handshake and expects it to be turned away after the 101: that Close, and no frame before it. */
export async function expectTurnedAway(
  port: number,
  request: string | Buffer,
  close: { code: number; reason: string },
): Promise<RawResponse> {
  const client = await RawClient.connect(port)
  client.write(bytes(request))
  const head = await client.head()
  expect(head.status).toBe(101)
  expect(await client.closeFrame()).toEqual(close)
  expect(client.frames()).toHaveLength(1)
  client.destroy()
  return head
}
