import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRoutes, UnavailableError } from '@sallyport/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { guardOfAll, origin } from '../../support/guard.js'
import { type Claims, credentialOf, live, sendAuth, settled, verifyClaims } from '../../support/live.js'
import { RawClient } from '../../support/raw.js'

const minute = 60_000

/** A connection of ada's session `s1`, accepted a minute ago, whose credential lives nine minutes more. */
async function open(way: 'header' | 'message' = 'header') {
  const set = live()
  const claims = (changes: Claims = {}) =>
    credentialOf({ session: 's1', issuedAt: set.clock.now(), expiresAt: set.clock.now() + 10 * minute, ...changes })
  const client = await set.connect(claims(), way)
  const connection = client.connection!
  set.clock.advance(minute)
  return { ...set, claims, client, connection, left: () => (connection.expiresAt! - set.clock.now()) / 1_000 }
}

describe('renewal over HTTP', () => {
  it('renews the connection that is named, without a word to its messages', async () => {
    const { renew, claims, client, connection, left, kinds, connect } = await open()
    const sibling = await connect(claims({ expiresAt: connection.expiresAt! }))
    const before = connection.expiresAt
    const response = await renew(claims(), { connection: connection.id })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({ expiresIn: 600 })
    expect(left()).toBe(600)
    expect(sibling.connection?.expiresAt).toBe(before)
    expect(kinds()).toEqual(['accepted', 'accepted', 'renewed'])
    const received: unknown[] = []
    client.socket.on('message', (data) => received.push(data))
    await settled(client)
    expect(received).toEqual([])
  })

  it('lives on by it', async () => {
    const { renew, claims, client, connection, clock, guard } = await open()
    await renew(claims(), { connection: connection.id })
    clock.advance(10 * minute + 4_000)
    expect(guard.connections.size).toBe(1)
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
    clock.advance(1_000)
    expect((await client.closed).code).toBe(4019)
  })

  it.each([
    ['no body', undefined],
    ['an empty body', ''],
    ['a blank body', ' \r\n'],
  ])('renews all of the session with %s', async (_, body) => {
    const { renew, claims, connect, connection, guard } = await open()
    const sibling = await connect(claims({ expiresAt: connection.expiresAt! }))
    const other = await connect(claims({ session: 's2', expiresAt: connection.expiresAt! }))
    const before = connection.expiresAt!
    const response = await renew(claims(), body)
    expect(await response.json()).toEqual({ expiresIn: 600 })
    expect([connection, sibling.connection, other.connection].map((one) => one!.expiresAt! - before)).toEqual([
      minute,
      minute,
      0,
    ])
    expect(guard.connections.size).toBe(3)
  })

  it('tells the shortest of the lives that it renewed: the day of the oldest may be over soon', async () => {
    const { connect, renew, clock } = live({ life: { maxAge: 60 * minute } })
    const claims = () => ({ session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + 20 * minute })
    await connect({ ...claims(), expiresAt: clock.now() + 55 * minute })
    clock.advance(50 * minute)
    await connect(claims())
    expect(await (await renew(credentialOf(claims()))).json()).toEqual({ expiresIn: 600 })
  })

  it('tells no end when there is none', async () => {
    const { connect, renew, clock } = live()
    await connect({ session: 's1' })
    clock.advance(1_000)
    expect(await (await renew(credentialOf({ session: 's1' }))).json()).toEqual({})
  })

  it('renews a connection that speaks the frames too', async () => {
    const { renew, claims, client, connection, left } = await open('message')
    expect((await renew(claims(), { connection: connection.id })).status).toBe(200)
    expect(left()).toBe(600)
    expect(connection.method).toBe('message')
    expect(await sendAuth(client, claims())).toMatchObject({ type: 'auth_ok', expiresIn: 600 })
  })

  it('keeps how the connection was opened', async () => {
    const { server, renew, clock } = live()
    const claims = () => credentialOf({ session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + minute })
    for (const way of ['query', 'message'] as const) {
      const client = await server.connect({
        protocols: ['app.v1'],
        ...(way === 'query' && { query: `token=${claims()}` }),
      })
      if (way === 'message') await sendAuth(client, claims())
      expect(client.connection).toMatchObject({ method: way, protocol: 'app.v1' })
      const { id, since } = client.connection!
      clock.advance(1_000)
      expect((await renew(claims(), { connection: id })).status).toBe(200)
      expect(client.connection).toMatchObject({ id, since, method: way, protocol: 'app.v1' })
      if (way === 'message') await sendAuth(client, claims())
      expect(client.connection).toMatchObject({ id, since, method: way, protocol: 'app.v1' })
    }
  })

  it('takes a cookie from an allowed origin, and tells the page', async () => {
    const { server, claims, left } = await open()
    const headers = { Cookie: `session=${claims()}`, Origin: origin }
    const response = await server.fetch('/ws/renew', { method: 'POST', headers })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    expect(response.headers.get('access-control-allow-credentials')).toBe('true')
    expect(response.headers.get('vary')).toBe('Origin')
    expect(left()).toBe(600)
  })

  it('answers the preflight of an allowed origin, and of no other', async () => {
    const { server } = await open()
    const preflight = (from: string) =>
      server.fetch('/ws/renew', {
        method: 'OPTIONS',
        headers: { Origin: from, 'Access-Control-Request-Method': 'POST' },
      })
    const allowed = await preflight(origin)
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-methods')).toBe('POST')
    expect(allowed.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type')
    const foreign = await preflight('https://evil.example')
    expect(foreign.status).toBe(405)
    expect([...foreign.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  describe('refuses', () => {
    it.each<[string, number, string, object | string | undefined, Record<string, string>?]>([
      ['a bad credential', 401, 'bad', undefined],
      ['a malformed credential', 400, 'bad', undefined, { Authorization: 'Basic good' }],
      ['no credential', 401, '', undefined, { Authorization: '' }],
      ['a cookie without an origin', 403, '', undefined, { Authorization: '', Cookie: 'session=x' }],
      ['a foreign origin', 403, 'good', undefined, { Origin: 'https://evil.example' }],
      ['a connection that is not there', 404, 'good', { connection: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      ['a session that has no connection', 404, 'other session', undefined],
      ['a credential without a session, and no connection', 404, 'no session', undefined],
      ['a body that is no JSON', 400, 'good', '{'],
      ['a body that is no object', 400, 'good', '"AAAAAAAAAAAAAAAAAAAAAA"'],
      ['a body that is null', 400, 'good', 'null'],
      ['a body without a connection', 400, 'good', {}],
      ['a connection that is no text', 400, 'good', { connection: 1 }],
      ['a connection that is empty', 400, 'good', { connection: '' }],
      ['a list', 400, 'good', []],
      ['a body that is too large', 413, 'good', 'x'.repeat(50_000)],
    ])('%s with %i', async (_, status, credential, body, headers) => {
      const { server, claims, connection, guard, client, renew } = await open()
      const before = connection.expiresAt
      const presented =
        credential === 'good'
          ? claims()
          : credential === 'other session'
            ? claims({ session: 's2' })
            : credential === 'no session'
              ? credentialOf({ issuedAt: 0 })
              : credential
      const all = { Authorization: `Bearer ${presented}`, ...headers }
      const response = await server.fetch('/ws/renew', {
        method: 'POST',
        headers: Object.entries(all).filter(([, value]) => value !== ''),
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      expect(response.status).toBe(status)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(await response.json()).toEqual({ error: expect.any(String), message: expect.any(String) })
      expect(connection.expiresAt).toBe(before)
      expect(guard.connections.size).toBe(1)
      client.send('still here')
      expect(await client.receive()).toBe('echo still here')
      expect((await renew(claims(), { connection: connection.id })).status).toBe(200)
    })

    it('GET, and says what to use', async () => {
      const { server, claims } = await open()
      const response = await server.fetch('/ws/renew', { headers: { Authorization: `Bearer ${claims()}` } })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('POST')
    })

    it('a ticket, a query token and a subprotocol, which belong to a handshake', async () => {
      const { server, claims } = await open()
      for (const [path, headers] of [
        [`/ws/renew?token=${claims()}`, {}],
        ['/ws/renew?ticket=x', {}],
        ['/ws/renew', { 'Sec-WebSocket-Protocol': `app.v1, sallyport.bearer.${claims()}` }],
      ] as const) {
        expect((await server.fetch(path, { method: 'POST', headers })).status).toBe(401)
      }
    })

    it.each([
      ['a dependency is down', 503, new UnavailableError('down')],
      ['the verifier fails', 500, new Error('bug')],
    ])('when %s, and keeps the connection', async (_, status, failure) => {
      let fails = false
      const { connect, renew, guard } = live({
        verify: (credential, context) => {
          if (fails) throw failure
          return verifyClaims(credential, context)
        },
      })
      await connect({ session: 's1' })
      fails = true
      expect((await renew(credentialOf({ session: 's1' }))).status).toBe(status)
      expect(guard.connections.size).toBe(1)
      fails = false
      expect((await renew(credentialOf({ session: 's1' }))).status).toBe(200)
    })
  })
})

describe('a body that never comes to its end', () => {
  it('is nobody`s failure: the client has left, and the process lives', async () => {
    const routes = createRoutes(guardOfAll(), { path: '/ws' })
    const results: Promise<boolean>[] = []
    const server = createServer((request, response) => void results.push(routes.node(request, response)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const client = await RawClient.connect((server.address() as AddressInfo).port)
    const requested = once(server, 'request')
    client.write(
      'POST /ws/renew HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good-ada\r\nContent-Length: 10\r\n\r\nhalf',
    )
    const [request] = (await requested) as [IncomingMessage]
    const closed = new Promise((resolve) => request.once('close', resolve))
    client.socket.resetAndDestroy()
    await closed
    expect(await Promise.all(results)).toEqual([true])
  })

  it('is answered with 400 where the runtime reads it', async () => {
    const routes = createRoutes(guardOfAll(), { path: '/ws' })
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{'))
        controller.error(new Error('the client has left'))
      },
    })
    const headers = { Authorization: 'Bearer good-ada' }
    const request = new Request('http://a/ws/renew', { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
    expect((await routes.fetch(request))?.status).toBe(400)
  })
})
