import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeBearer } from '@sallyport/protocol'
import { reasons as codes, type Reason } from '@sallyport/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { refusalAnswer } from '../../src/refusals/http-answer.js'
import { guardOfHandshakes } from '../support/guard.js'
import { RawClient, type RawHeaders, rawHandshake } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { startServer } from '../support/server.js'

/** A form of the handshake that a client may come up with. */
interface Form {
  readonly form: string
  /** Where it is allowed, or not. */
  readonly section: string
  readonly headers?: RawHeaders
  readonly line?: string
}

const bearer = encodeBearer('good-ada')
const key = 'dGhlIHNhbXBsZSBub25jZQ=='
const many = (count: number): RawHeaders => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, '1']))

/** What both texts allow, and ws accepts: we accept all of it. */
const allowed: Form[] = [
  { form: 'the example', section: 'RFC 6455 1.2' },
  {
    form: 'names of headers in any case',
    section: 'RFC 9110 5.1',
    headers: { UPGRADE: 'websocket', Upgrade: undefined },
  },
  { form: 'white space around values', section: 'RFC 9110 5.5', headers: { 'Sec-WebSocket-Version': ' \t13 \t' } },
  { form: 'bytes beyond ASCII in a value', section: 'RFC 9110 5.5', headers: { 'User-Agent': 'caf\u00e9' } },
  { form: '500 header lines', section: 'RFC 9110 5.4', headers: many(494) },
  { form: 'Connection as a list', section: 'RFC 9110 7.6.1', headers: { Connection: 'keep-alive, Upgrade' } },
  { form: 'Connection in two lines', section: 'RFC 9110 5.3', headers: { Connection: ['keep-alive', 'Upgrade'] } },
  { form: 'Connection with empty items', section: 'RFC 9110 5.6.1.2', headers: { Connection: ', Upgrade ,, te' } },
  { form: 'Connection in another case', section: 'RFC 6455 4.2.1(4)', headers: { Connection: 'UPGRADE' } },
  { form: 'Upgrade in another case', section: 'RFC 6455 4.2.1(3)', headers: { Upgrade: 'WebSocket' } },
  { form: 'a host and a port', section: 'RFC 9110 7.2', headers: { Host: 'api.example.com:8443' } },
  { form: 'a host and an empty port', section: 'RFC 3986 3.2.3', headers: { Host: 'api.example.com:' } },
  { form: 'a host that is an address', section: 'RFC 3986 3.2.2', headers: { Host: '[2001:db8::1]:8443' } },
  { form: 'a host with escapes', section: 'RFC 3986 3.2.2', headers: { Host: 'caf%C3%A9.example' } },
  { form: 'a host with other signs', section: 'RFC 3986 3.2.2', headers: { Host: "a_b~!$&'()*+,;=c" } },
  { form: 'a length of zero', section: 'RFC 9110 8.6', headers: { 'Content-Length': '0' } },
  { form: 'a length of several zeros', section: 'RFC 9110 8.6', headers: { 'Content-Length': '000' } },
  { form: 'an expectation', section: 'RFC 9110 10.1.1', headers: { Expect: '100-continue' } },
  { form: 'hop-by-hop headers', section: 'RFC 9110 7.6.1', headers: { TE: 'trailers', 'Keep-Alive': 'timeout=5' } },
  { form: 'what proxies add', section: 'RFC 9110 7.6.3', headers: { Via: '1.1 a, 1.1 b', Forwarded: 'for=192.0.2.1' } },
  { form: 'one subprotocol', section: 'RFC 6455 4.1(10)', headers: { 'Sec-WebSocket-Protocol': 'app.v1' } },
  {
    form: 'subprotocols in a list',
    section: 'RFC 6455 4.1(10)',
    headers: { 'Sec-WebSocket-Protocol': 'a,\tapp.v1 , b' },
  },
  {
    form: 'subprotocols in two lines',
    section: 'RFC 6455 11.3.4',
    headers: { 'Sec-WebSocket-Protocol': ['a', 'app.v1'] },
  },
  { form: 'an unknown extension', section: 'RFC 6455 9.1', headers: { 'Sec-WebSocket-Extensions': 'x; y="z", w' } },
  { form: 'extensions in two lines', section: 'RFC 6455 9.1', headers: { 'Sec-WebSocket-Extensions': ['x', 'y; z'] } },
  { form: 'no query', section: 'RFC 9112 3.2.1', line: 'GET /ws? HTTP/1.1' },
  { form: 'a query of any kind', section: 'RFC 3986 3.4', line: "GET /ws?a=/?:@!$'()*,;&&=&b HTTP/1.1" },
  { form: 'the scheme in another case', section: 'RFC 9110 11.1', headers: { Authorization: 'bEaReR good-ada' } },
  { form: 'spaces behind the scheme', section: 'RFC 9110 11.4', headers: { Authorization: 'Bearer   good-ada' } },
]

/** What a text forbids, and ws accepts all the same; or what it allows and we refuse, with the reason why. */
const stricter: (Form & { readonly reason: Reason; readonly why: string })[] = [
  {
    form: 'HTTP/1.0',
    section: 'RFC 6455 4.2.1(1)',
    line: 'GET /ws HTTP/1.0',
    reason: 'handshake-version',
    why: 'forbidden: HTTP/1.1 or higher',
  },
  ...(
    [
      ['a host before the path', 'http://127.0.0.1/ws', '9112 3.2.2', 'it could name another host than Host does'],
      ['an empty segment', '//ws', '3986 3.3', 'some read a host'],
      ['dot segments', '/x/../ws', '3986 6.2.2.3', 'a proxy in front may have read another path'],
      ['an escaped letter', '/%77s', '3986 6.2.2.2', 'a proxy in front may have read another path'],
      ['an escape in lower case', '/caf%c3%a9', '3986 6.2.2.1', 'each path has one spelling'],
    ] as const
  ).map(([form, target, section, why]) => ({
    form,
    section: `RFC ${section}`,
    line: `GET ${target} HTTP/1.1`,
    reason: 'handshake-target' as const,
    why: `allowed: but ${why}`,
  })),
  {
    form: 'no Host',
    section: 'RFC 9112 3.2',
    headers: { Host: undefined },
    reason: 'handshake-host',
    why: 'forbidden: a server must answer 400',
  },
  {
    form: 'two Hosts',
    section: 'RFC 9112 3.2',
    headers: { Host: ['a', 'b'] },
    reason: 'handshake-repeated',
    why: 'forbidden: a server must answer 400',
  },
  {
    form: 'a host with a user',
    section: 'RFC 9110 7.2',
    headers: { Host: 'a@b' },
    reason: 'handshake-host',
    why: 'forbidden: no host has an @',
  },
  {
    form: 'an empty host',
    section: 'RFC 9110 4.2.1',
    headers: { Host: '' },
    reason: 'handshake-host',
    why: 'forbidden: http has no URI without one',
  },
  {
    form: 'two Origins',
    section: 'RFC 6454 7.3',
    headers: { Origin: ['https://app.example.com', 'https://evil.example'] },
    reason: 'handshake-repeated',
    why: 'forbidden: Node.js tells an application one of them',
  },
  {
    form: 'two Authorizations',
    section: 'RFC 9110 5.3',
    headers: { Authorization: ['Bearer good-ada', 'Bearer good-eve'] },
    reason: 'handshake-repeated',
    why: 'forbidden: it is no list',
  },
  {
    form: 'another scheme',
    section: 'RFC 9110 11.6.2',
    headers: { Authorization: 'Basic YTpi' },
    reason: 'credential-malformed',
    why: 'allowed: but it says who calls, and nobody here knows it',
  },
  {
    form: 'the draft version 8',
    section: 'RFC 6455 4.1(9)',
    headers: { 'Sec-WebSocket-Version': '8' },
    reason: 'not-a-websocket',
    why: 'forbidden: 13',
  },
  {
    form: 'a key with unused bits',
    section: 'RFC 4648 3.5',
    headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' },
    reason: 'handshake-key',
    why: 'forbidden: an encoder sets them to zero',
  },
  {
    form: 'a length',
    section: 'RFC 9110 9.3.1',
    headers: { 'Content-Length': '5' },
    reason: 'handshake-body',
    why: 'no meaning of its own: ws would read it as frames',
  },
  {
    form: 'a transfer encoding',
    section: 'RFC 9112 6.1',
    headers: { 'Transfer-Encoding': 'chunked' },
    reason: 'handshake-body',
    why: 'no meaning of its own: ws would read it as frames',
  },
  {
    form: '501 header lines',
    section: 'RFC 9110 5.4',
    headers: many(495),
    reason: 'handshake-headers',
    why: 'a bound of ours: Node.js drops, without a word, what comes behind a thousand',
  },
  {
    form: 'a fetch of a browser',
    section: 'Fetch Metadata 2.3',
    headers: { 'Sec-Fetch-Mode': 'cors' },
    reason: 'fetch-metadata',
    why: 'no browser sends it with a WebSocket',
  },
]

/** What neither of us accepts. */
const refused: (Form & { readonly reason: Reason })[] = [
  { form: 'POST', section: 'RFC 6455 4.1(2)', line: 'POST /ws HTTP/1.1', reason: 'method-not-allowed' },
  { form: 'two upgrades', section: 'RFC 9110 7.8', headers: { Upgrade: 'websocket, h2c' }, reason: 'not-a-websocket' },
  {
    form: 'no version',
    section: 'RFC 6455 4.1(9)',
    headers: { 'Sec-WebSocket-Version': undefined },
    reason: 'not-a-websocket',
  },
  { form: 'no key', section: 'RFC 6455 4.1(7)', headers: { 'Sec-WebSocket-Key': undefined }, reason: 'handshake-key' },
  {
    form: 'a key of 15 bytes',
    section: 'RFC 6455 4.1(7)',
    headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' },
    reason: 'handshake-key',
  },
  {
    form: 'two keys',
    section: 'RFC 6455 11.3.1',
    headers: { 'Sec-WebSocket-Key': [key, key] },
    reason: 'handshake-repeated',
  },
  ...['', 'a,', 'a,,b', 'a b', 'a;q=1', 'a, a', '"a"'].map((list) => ({
    form: `the subprotocols ${JSON.stringify(list)}`,
    section: 'RFC 6455 4.1(10)',
    headers: { 'Sec-WebSocket-Protocol': list },
    reason: 'handshake-protocols' as const,
  })),
  {
    form: 'a subprotocol twice, in two lines',
    section: 'RFC 6455 4.1(10)',
    headers: { 'Sec-WebSocket-Protocol': ['a', 'a'] },
    reason: 'handshake-protocols',
  },
]

/** What the library that everybody uses would do. */
async function bareStatus(request: Buffer): Promise<number> {
  const server = createServer()
  const bare = new WebSocketServer({ server })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const client of bare.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  const client = await RawClient.connect((server.address() as AddressInfo).port)
  client.write(request)
  const { status } = await client.head()
  client.destroy()
  return status
}

const requestOf = ({ headers, line }: Form): Buffer =>
  Buffer.from(rawHandshake('/ws', { Authorization: 'Bearer good-ada', ...headers }, line), 'latin1')

async function start() {
  const guard = guardOfHandshakes()
  const reasons: string[] = []
  guard.subscribe((event) => {
    if (event.type === 'refused') reasons.push(event.reason)
  })
  const { port } = await startServer(guard)
  return { port, reasons }
}

/** Expects a refusal that says what is wrong, to the client and to whoever listens. */
async function expectReason(form: Form, reason: Reason): Promise<void> {
  const { port, reasons } = await start()
  const answer = refusalAnswer({ code: codes[reason], reason })
  const { body } = await expectRefusal(port, requestOf(form), answer.status)
  expect(Buffer.from(body, 'latin1').toString()).toBe(answer.body)
  expect(reasons).toEqual([reason])
  await expectAccepted(port, requestOf({ form: 'the example', section: '' }))
}

describe('A: the forms of a handshake', () => {
  it.each(allowed)('A28 accepts what may be sent, as ws does: $form ($section)', async (form) => {
    const { port, reasons } = await start()
    expect(await bareStatus(requestOf(form))).toBe(101)
    await expectAccepted(port, requestOf(form))
    expect(reasons).toEqual([])
  })

  it.each(stricter)('A28 refuses what ws accepts, and says why: $form ($section); $why', async (form) => {
    expect(await bareStatus(requestOf(form))).toBe(101)
    await expectReason(form, form.reason)
  })

  it.each(refused)('A28 refuses what ws refuses, and says why: $form ($section)', async (form) => {
    expect(await bareStatus(requestOf(form))).not.toBe(101)
    await expectReason(form, form.reason)
  })

  it.each<[string, string[]]>([
    ['one behind the other', ['app.v1', bearer]],
    ['the credential first', [bearer, 'a', 'app.v1']],
  ])('A28 reads a credential among subprotocols in several lines: %s', async (_, lines) => {
    const { port } = await start()
    const request = rawHandshake('/ws', { 'Sec-WebSocket-Protocol': lines })
    const { headers, text } = await expectAccepted(port, request)
    expect(headers.get('sec-websocket-protocol')).toBe('app.v1')
    expect(text).not.toContain('sallyport')
  })
})
