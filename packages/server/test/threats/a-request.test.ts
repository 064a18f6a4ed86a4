import { once } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { readTarget } from '../../src/handshake/request.js'
import { guardOfAll, guardOfHandshakes, origin, verifyGood } from '../support/guard.js'
import { anyHandshake, anyText, handshake, textOf, withLine } from '../support/handshake.js'
import { held } from '../support/held.js'
import { RawClient, type RawHeaders, rawFrame, rawHandshake, rawOpen, rawRequest } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { echo, startServer } from '../support/server.js'

const bearer = { Authorization: 'Bearer good-ada' }
const key = 'dGhlIHNhbXBsZSBub25jZQ=='
const good = rawHandshake('/ws', bearer)

/** A server whose verifier tells whether it was asked. */
async function start() {
  const verify = vi.fn(verifyGood)
  const onConnection = vi.fn(echo)
  const { port, server } = await startServer(guardOfHandshakes(verify), onConnection)
  return { port, server, verify, onConnection }
}

/** Expects a refusal before any credential was looked at; and that the good handshake next to it is accepted. */
async function expectUnread(request: string | Buffer, status: number, control = good): Promise<void> {
  const { port, verify, onConnection } = await start()
  await expectRefusal(port, request, status)
  expect(verify).not.toHaveBeenCalled()
  expect(onConnection).not.toHaveBeenCalled()
  await expectAccepted(port, control)
}

const requestLine = (line: string, headers: RawHeaders = {}) => rawHandshake('/ws', { ...bearer, ...headers }, line)
const changed = (headers: RawHeaders) => rawHandshake('/ws', { ...bearer, ...headers })

/** Many headers that mean nothing. */
const padding = (count: number, value = '1'): RawHeaders =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i.toString(36)}`, value]))

describe('A: the request', () => {
  it.each([
    [400, '//ws'],
    [400, '/ws/%2e%2e/ws'],
    [400, '/x/..%2fws'],
    [400, '/x%5cws'],
    [400, '/\\ws'],
    [400, '/./ws'],
    [400, '/x/../ws'],
    [400, '/%77s'],
    [400, '/ws%00'],
    [400, '/ws#x'],
    [400, 'http://127.0.0.1/ws'],
    [400, 'http://evil.example/ws'],
    [400, '*'],
    [404, '/WS'],
    [404, '/ws/'],
    [404, '/ws;x'],
    [404, '/ws%20'],
    [404, '/'],
  ])('A02 answers %i to %s, with a credential and without', async (status, target) => {
    const { port, verify } = await start()
    const withCredential = await expectRefusal(port, requestLine(`GET ${target} HTTP/1.1`), status)
    const without = await expectRefusal(port, rawHandshake('/ws', {}, `GET ${target} HTTP/1.1`), status)
    expect(withCredential.text).toBe(without.text)
    expect(verify).not.toHaveBeenCalled()
    await expectAccepted(port, good)
  })

  it('A02 has the guard read as /ws exactly what the router takes for /ws', () => {
    const target = textOf('/', 'ws', '/ws', '?', '#', '%77', '%2e', '.', '..', '\\', ' ', 'ticket=x', '//').map(
      (t) => `/${t}`,
    )
    fc.assert(
      fc.property(fc.oneof(target, anyText), (target) => {
        expect(readTarget(target)?.path === '/ws').toBe(target.split('?', 1)[0] === '/ws')
      }),
      { numRuns: 1_000 },
    )
  })

  it('A02 has the application read no other query than the guard', async () => {
    const onConnection = vi.fn(echo)
    const { port } = await startServer(guardOfHandshakes(), onConnection)
    await expectAccepted(port, rawHandshake('/ws?room=1', bearer))
    await expectAccepted(port, rawHandshake('/ws??ticket=x', bearer))
    const queries = onConnection.mock.calls.map(([, { query }]) => [...query])
    expect(queries).toEqual([[['room', '1']], [['?ticket', 'x']]])
  })

  it.each<[string, number, string]>([
    ['the target //', 400, requestLine('GET // HTTP/1.1')],
    ['the target //evil.example/ws', 400, requestLine('GET //evil.example/ws HTTP/1.1')],
    ['the host a:b', 400, changed({ Host: 'a:b' })],
    ['the host [', 400, changed({ Host: '[' })],
    ['the origin http://a:b', 403, rawHandshake('/ws', { Cookie: 'session=good-ada', Origin: 'http://a:b' })],
    ['the origin http://[', 403, rawHandshake('/ws', { Cookie: 'session=good-ada', Origin: 'http://[' })],
    ['the origin %', 403, rawHandshake('/ws', { Cookie: 'session=good-ada', Origin: '%' })],
  ])('A03 outlives %s', async (_, status, request) => {
    await expectUnread(
      request,
      status,
      status === 403 ? rawHandshake('/ws', { Cookie: 'session=good-ada', Origin: origin }) : good,
    )
  })

  it('A03 decides on any handshake without throwing, and accepts none without a good credential', async () => {
    const verify = vi.fn(verifyGood)
    const guard = guardOfAll(verify)
    await fc.assert(
      fc.asyncProperty(anyHandshake, async (value) => {
        verify.mockClear()
        const verdict = await guard.decide(value)
        expect(['accept', 'await', 'refuse']).toContain(verdict.type)
        expect(verify.mock.calls.length).toBeLessThanOrEqual(1)
        if (verdict.type === 'accept') expect(verify.mock.calls[0]?.[0]).toMatch(/^good-/)
      }),
      { numRuns: 500 },
    )
  })

  it('A04 outlives a reset while the credential is verified', async () => {
    const { verify, asked, release } = held()
    const onConnection = vi.fn(echo)
    const guard = guardOfHandshakes(verify)
    const { port, server } = await startServer(guard, onConnection)
    const accepted = once(server, 'connection')
    const client = await RawClient.connect(port)
    client.write(good)
    const [socket] = (await accepted) as [Socket]
    await asked
    const closed = new Promise((resolve) => socket.once('close', resolve))
    client.socket.resetAndDestroy()
    await closed
    release()
    await expectAccepted(port, good)
    expect(onConnection).toHaveBeenCalledTimes(1)
  })

  it.each<[string, string]>([
    ['no host', changed({ Host: undefined })],
    ['an empty host', changed({ Host: '' })],
    ['two hosts', changed({ Host: ['127.0.0.1', 'evil.example'] })],
    ['two hosts the other way round', changed({ Host: ['evil.example', '127.0.0.1'] })],
    ['the same host twice', changed({ Host: ['127.0.0.1', '127.0.0.1'] })],
    ['HTTP/1.0', requestLine('GET /ws HTTP/1.0')],
  ])('A05 refuses %s', (_, request) => expectUnread(request, 400))

  it('A06 refuses the page of a name that was rebound to our address', async () => {
    const rebound = (origin: string) =>
      rawHandshake('/ws', { Host: 'evil.example', Cookie: 'session=good-ada', Origin: origin })
    await expectUnread(rebound('http://evil.example'), 403, rebound(origin))
  })

  it.each(['POST', 'PUT', 'OPTIONS', 'DELETE', 'PATCH', 'HEAD', 'TRACE'])('A07 refuses %s', (method) =>
    expectUnread(requestLine(`${method} /ws HTTP/1.1`), 405),
  )

  it('A07 opens no tunnel', async () => {
    const { port, onConnection } = await start()
    const { text } = await rawRequest(port, requestLine('CONNECT 127.0.0.1:80 HTTP/1.1'))
    expect(text).toBe('')
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, good)
  })

  it.each<[string, RawHeaders]>([
    ['another protocol before it', { Upgrade: 'h2c, websocket' }],
    ['another protocol behind it', { Upgrade: 'websocket, h2c' }],
    ['two lines', { Upgrade: ['websocket', 'websocket'] }],
    ['a version', { Upgrade: 'websocket/13' }],
  ])('A08 refuses an upgrade with %s', (_, headers) => expectUnread(changed(headers), 426))

  it.each<[string, RawHeaders]>([
    ['no Connection', { Connection: undefined }],
    ['another Connection', { Connection: 'keep-alive' }],
    ['no Upgrade', { Upgrade: undefined }],
    ['an empty Upgrade', { Upgrade: '' }],
  ])('A08 leaves a request with %s to HTTP, whose route says what is missing', async (_, headers) => {
    const { port, verify } = await start()
    const client = await RawClient.connect(port)
    client.write(changed(headers))
    expect((await client.head()).status).toBe(426)
    client.destroy()
    expect(verify).not.toHaveBeenCalled()
    await expectAccepted(port, good)
  })

  it.each(['keep-alive, Upgrade', 'upgrade', 'UPGRADE', ',upgrade , te'])(
    'A08 reads the list in Connection: %s',
    async (list) => {
      const { port } = await start()
      await expectAccepted(port, changed({ Connection: list, Upgrade: 'WebSocket' }))
    },
  )

  it.each<[string, string | string[] | undefined]>([
    ...['', '0', '7', '8', '12', '14', '013', '13, 8', '8, 13', '13, 13', '13.0'].map((version): [string, string] => [
      JSON.stringify(version),
      version,
    ]),
    ['13 twice', ['13', '13']],
    ['none', undefined],
  ])('A09 refuses the version %s', (_, version) => expectUnread(changed({ 'Sec-WebSocket-Version': version }), 426))

  it.each<[string, string | string[] | undefined]>([
    ['that is missing', undefined],
    ['that is empty', ''],
    ['of 15 bytes', 'dGhlIHNhbXBsZSBub25j'],
    ['of 17 bytes', 'dGhlIHNhbXBsZSBub25jZWE='],
    ['without padding', key.slice(0, -2)],
    ['with unused bits', 'dGhlIHNhbXBsZSBub25jZR=='],
    ['of another alphabet', 'dGhlIHNhbXBsZ-Bub25jZQ=='],
    ['that comes twice', [key, key]],
    ['that comes twice in a line', `${key}, ${key}`],
  ])('A10 refuses a key %s', (_, value) => expectUnread(changed({ 'Sec-WebSocket-Key': value }), 400))

  it.each<[string, RawHeaders, string | Buffer]>([
    ['that looks like a frame', { 'Content-Length': '11' }, rawFrame('hello').subarray(0, 11)],
    ['that looks like a request', { 'Content-Length': '28' }, 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['that has not come yet', { 'Content-Length': '11' }, ''],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n\r\n'],
    ['of one empty chunk', { 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'],
  ])('A11 refuses a body %s', (_, headers, body) =>
    expectUnread(
      Buffer.concat([Buffer.from(changed(headers)), Buffer.from(body)]),
      400,
      changed({ 'Content-Length': '0' }),
    ),
  )

  it.each([
    ['a length and chunks', { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }],
    ['two lengths', { 'Content-Length': ['0', '5'] }],
    ['a length below zero', { 'Content-Length': '-1' }],
  ])('A11 has no socket for %s, which Node.js refuses', async (_, headers) => {
    const { port, onConnection } = await start()
    expect((await rawRequest(port, `${changed(headers)}hello`)).text).toBe(
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
    )
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, good)
  })

  it('A12 serves no request behind a refused one, however the connection is to be kept', async () => {
    const { port } = await start()
    // The server does serve a second request: behind one that it has answered.
    const plain = 'GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    expect((await rawRequest(port, plain)).text.match(/HTTP\/1\.1 404/g)).toHaveLength(2)
    const keep = { Cookie: 'session=good-ada', Origin: 'https://evil.example', Connection: 'keep-alive, Upgrade' }
    await expectRefusal(port, rawHandshake('/ws', keep), 403)
    await expectRefusal(port, rawHandshake('/ws', { ...keep, 'Keep-Alive': 'timeout=60' }), 403)
    await expectAccepted(port, rawHandshake('/ws', { ...keep, Origin: origin }))
  })

  it('A13 processes no frame before the accept, and then every one in order', async () => {
    const { verify, asked, release } = held()
    const onConnection = vi.fn(echo)
    const { port, server } = await startServer(guardOfHandshakes(verify), onConnection)
    const connected = once(server, 'connection')
    const client = await RawClient.connect(port)
    client.write(Buffer.concat([Buffer.from(good), rawFrame('one'), rawFrame('two')]))
    const [socket] = (await connected) as [Socket]
    await asked
    expect(onConnection).not.toHaveBeenCalled()
    // Nobody reads: what the peer goes on sending fills its own buffers, not ours.
    expect(socket.readableFlowing).not.toBe(true)
    release()
    expect(await client.textsUntil(3)).toEqual(['hello ada', 'one', 'two'])
    client.destroy()
  })

  it('A13 processes no frame behind a handshake that is refused', async () => {
    const bad = rawHandshake('/ws', { Authorization: 'Bearer bad' })
    const { port, onConnection } = await start()
    await expectRefusal(port, Buffer.concat([Buffer.from(bad), rawFrame('one')]), 401)
    expect(onConnection).not.toHaveBeenCalled()
  })

  it('A14 refuses the handshake of HTTP/2, an extended CONNECT', async () => {
    const verify = vi.fn(verifyGood)
    const guard = guardOfHandshakes(verify)
    const value = handshake({ headers: [['authorization', 'Bearer good-ada']] })
    const refused = { type: 'refuse', code: 'badRequest', by: 'status' }
    const connect = withLine({ ...value, method: 'CONNECT', httpVersion: '2.0' }, ':protocol', 'websocket')
    expect(await guard.decide(connect)).toMatchObject(refused)
    expect(await guard.decide({ ...value, httpVersion: '2.0' })).toMatchObject(refused)
    expect(verify).not.toHaveBeenCalled()
    expect(await guard.decide(value)).toMatchObject({ type: 'accept' })
  })

  it.each<[string, RawHeaders]>([
    ['h2c', { Upgrade: 'h2c' }],
    [
      'h2c with its settings',
      { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQ' },
    ],
    ['TLS', { Upgrade: 'TLS/1.2' }],
  ])('A15 refuses an upgrade to %s', (_, headers) => expectUnread(changed(headers), 426))

  const page = { Cookie: 'session=good-ada', Origin: origin }
  it.each<[string, string, string]>([
    ['Origin', rawHandshake('/ws', { ...page, Origin: [origin, 'https://evil.example'] }), rawHandshake('/ws', page)],
    [
      'Origin, turned round',
      rawHandshake('/ws', { ...page, Origin: ['https://evil.example', origin] }),
      rawHandshake('/ws', page),
    ],
    ['Origin, equal', rawHandshake('/ws', { ...page, Origin: [origin, origin] }), rawHandshake('/ws', page)],
    ['Authorization', changed({ Authorization: ['Bearer good-ada', 'Bearer good-eve'] }), good],
    ['Authorization, one of them bad', changed({ Authorization: ['Bearer bad', 'Bearer good-ada'] }), good],
    ['Authorization, equal', changed({ Authorization: ['Bearer good-ada', 'Bearer good-ada'] }), good],
    ['Authorization, of two schemes', changed({ Authorization: ['Basic YTpi', 'Bearer good-ada'] }), good],
    ['Sec-WebSocket-Key', changed({ 'Sec-WebSocket-Key': [key, 'AAAAAAAAAAAAAAAAAAAAAA=='] }), good],
    ['Host', changed({ Host: ['127.0.0.1', 'evil.example'] }), good],
    ['Authorization in different case', changed({ AUTHORIZATION: 'Bearer good-eve' }), good],
  ])('A16 refuses a second %s', (_, request, control) => expectUnread(request, 400, control))

  it.each<[string, string]>([
    ['spaces', `${' '.repeat(12_000)},`],
    ['commas', ','.repeat(12_000)],
    ['spaces and commas', ' ,'.repeat(6_000)],
    ['spaces before a token', `app.v1,${' '.repeat(12_000)}x y`],
    ['a thousand empty items', `app.v1${', '.repeat(1_000)}`],
    ['a thousand items, the last of them again', `${Array.from({ length: 1_000 }, (_, i) => `p${i}`).join(',')},p0`],
  ])('A20 refuses subprotocols of %s', (_, value) => {
    const offered = (list: string) => rawHandshake('/ws', { 'Sec-WebSocket-Protocol': list })
    return expectUnread(offered(value), 400, offered('app.v1, sallyport.bearer.Z29vZC1hZGE'))
  })

  it('A20 accepts a thousand subprotocols that are well-formed', async () => {
    const { port } = await start()
    const many = Array.from({ length: 1_000 }, (_, i) => `p${i}`).join(', ')
    const { headers } = await expectAccepted(port, changed({ 'Sec-WebSocket-Protocol': `${many}, app.v1` }))
    expect(headers.get('sec-websocket-protocol')).toBe('app.v1')
  })

  it.each<[string, string]>([
    ['a target of 17 KB', rawHandshake(`/ws?x=${'a'.repeat(17_000)}`, bearer)],
    ['a header of 17 KB', changed({ 'X-Large': 'a'.repeat(17_000) })],
    ['headers of 17 KB together', changed(padding(170, 'a'.repeat(100)))],
  ])('A21 has no socket for %s, which Node.js refuses', async (_, request) => {
    const { port, verify } = await start()
    expect((await rawRequest(port, request)).status).toBe(431)
    expect(verify).not.toHaveBeenCalled()
    await expectAccepted(port, good)
  })

  // Node.js 20 drops, without a word, what comes behind a thousand headers; newer ones refuse the request themselves.
  it.each<[string, RawHeaders]>([
    ['nothing', {}],
    ['a body', { 'Content-Length': '5' }],
    ['a second credential', { AUTHORIZATION: 'Bearer good-eve' }],
    ['a second host', { HOST: 'evil.example' }],
  ])('A21 refuses 1,900 headers that could hide %s', async (_, hidden) => {
    const request = `${changed({ ...padding(1_900), ...hidden })}hello`
    const { port, verify } = await start()
    if ((await rawRequest(port, request)).status !== 431) return expectUnread(request, 400, changed(padding(50)))
    expect(verify).not.toHaveBeenCalled()
    await expectAccepted(port, changed(padding(50)))
  })

  const extensions = [
    'constructor',
    '__proto__',
    'toString, hasOwnProperty',
    'permessage-deflate; __proto__=1',
    'permessage-deflate; constructor; toString',
    'permessage-deflate; server_max_window_bits=99',
  ]

  it.each(extensions)('A22 outlives the extension %s', async (extension) => {
    const { port } = await start()
    const { headers } = await expectAccepted(port, changed({ 'Sec-WebSocket-Extensions': extension }))
    expect(headers.has('sec-websocket-extensions')).toBe(false)
  })

  it.each(extensions)('A22 outlives the extension %s where extensions are read', async (extension) => {
    const webSocketServer = new WebSocketServer({ noServer: true, perMessageDeflate: true })
    const { port } = await startServer(guardOfHandshakes(), echo, { webSocketServer })
    const request = changed({ 'Sec-WebSocket-Extensions': extension })
    if (extension.startsWith('permessage-deflate')) expect((await rawRequest(port, request)).status).toBe(400)
    else await expectAccepted(port, request)
    const { client, head } = await rawOpen(port, '/ws', { ...bearer, 'Sec-WebSocket-Extensions': 'permessage-deflate' })
    expect(head.headers.get('sec-websocket-extensions')).toBe('permessage-deflate')
    client.destroy()
  })
})
