import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ConfigurationError,
  createGuard,
  createRoutes,
  type Guard,
  type GuardEvent,
  header,
  logRefusals,
  type Reason,
  ticket,
} from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { guardOfAll, origin, verifyGood } from '../support/guard.js'
import { rawRequest } from '../support/raw.js'

const authorization = { Authorization: 'Bearer good-ada' }

/** The same routes, called as a fetch handler and on a Node.js server. */
const forms: Record<string, (guard: Guard, path?: string) => Promise<(request: RequestLine) => Promise<Response>>> = {
  fetch: async (guard, path = '/ws') => {
    const routes = createRoutes(guard, { path })
    return async ({ target, ...init }) =>
      (await routes.fetch(new Request(`http://127.0.0.1${target}`, init))) ?? new Response('not ours', { status: 404 })
  },
  node: async (guard, path = '/ws') => {
    const routes = createRoutes(guard, { path })
    const server = createServer(async (request, response) => {
      if (!(await routes.node(request, response))) response.writeHead(404).end('not ours')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return ({ target, ...init }) => fetch(`http://127.0.0.1:${port}${target}`, init)
  },
}

interface RequestLine {
  readonly target: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** A guard that is listened to. */
function watched() {
  const guard = guardOfAll()
  const events: GuardEvent[] = []
  const lines: string[] = []
  guard.subscribe((event) => events.push(event))
  logRefusals(guard, (line) => lines.push(line))
  return { guard, events, lines }
}

describe.each(Object.entries(forms))('createRoutes as %s', (_, start) => {
  const post = { target: '/ws/ticket', method: 'POST' }

  it('issues a ticket', async () => {
    const call = await start(guardOfAll())
    const response = await call({ ...post, headers: authorization })
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(await response.json()).toEqual({ ticket: expect.stringMatching(/^[\w-]{43}$/), expiresIn: 30 })
  })

  it('does not mind a body', async () => {
    const call = await start(guardOfAll())
    const body = JSON.stringify({ ignored: 'x'.repeat(100_000) })
    expect((await call({ ...post, headers: authorization, body })).status).toBe(201)
  })

  it.each([
    ['no credential', 401, 'unauthenticated', {}],
    ['a bad credential', 401, 'unauthenticated', { Authorization: 'Bearer bad' }],
    ['a malformed credential', 400, 'badRequest', { Authorization: 'Basic good-ada' }],
    ['a foreign origin', 403, 'forbidden', { ...authorization, Origin: 'https://evil.example' }],
  ])('refuses %s with %i', async (_, status, error, headers) => {
    const call = await start(guardOfAll())
    const response = await call({ ...post, headers })
    expect(response.status).toBe(status)
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({ error, message: expect.any(String) })
    expect((await call({ ...post, headers: authorization })).status).toBe(201)
  })

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s, and says what to use', async (method) => {
    const call = await start(guardOfAll())
    const response = await call({ ...post, method, headers: authorization })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
  })

  it.each(['query', 'subprotocol'])(
    'issues no ticket for a credential that belongs to a handshake: %s',
    async (carrier) => {
      const call = await start(guardOfAll())
      const response = await call(
        carrier === 'query'
          ? { ...post, target: '/ws/ticket?token=good-ada' }
          : { ...post, headers: { 'Sec-WebSocket-Protocol': 'app.v1, sallyport.bearer.Z29vZC1hZGE' } },
      )
      expect(response.status).toBe(401)
    },
  )

  it('lets a page of an allowed origin elsewhere read the answer, good or bad', async () => {
    const call = await start(guardOfAll())
    for (const [headers, status] of [
      [{ ...authorization, Origin: origin }, 201],
      [{ Authorization: 'Bearer bad', Origin: origin }, 401],
    ] as const) {
      const response = await call({ ...post, headers })
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
      expect(response.headers.get('access-control-allow-credentials')).toBe('true')
      expect(response.headers.get('vary')).toBe('Origin')
    }
  })

  it('answers the preflight of an allowed origin', async () => {
    const call = await start(guardOfAll())
    const response = await call({ ...post, method: 'OPTIONS', headers: { Origin: origin } })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-methods')).toBe('POST')
    expect(response.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type')
    expect(response.headers.get('access-control-max-age')).toBe('600')
    // RFC 9110 section 8.6: no Content-Length with 204.
    expect(response.headers.get('content-length')).toBeNull()
    expect(await response.text()).toBe('')
  })

  it.each([
    ['traceparent,sentry-trace,baggage,authorization', 'traceparent,sentry-trace,baggage,authorization'],
    ['x-a', 'x-a'],
    ['', 'Authorization, Content-Type'],
    ['x-a: b', 'Authorization, Content-Type'],
    ['"x"', 'Authorization, Content-Type'],
    [`x${'-a'.repeat(600)}`, 'Authorization, Content-Type'],
  ])('D30 lets a page of an allowed origin send what it asks for: %.20s', async (asked, allowed) => {
    const call = await start(guardOfAll())
    const preflight = (origin: string) =>
      call({ ...post, method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Headers': asked } })
    const response = await preflight(origin)
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toBe(allowed)
    const foreign = await preflight('https://evil.example')
    expect(foreign.status).toBe(405)
    expect(foreign.headers.get('access-control-allow-headers')).toBeNull()
  })

  it.each([
    ['/', '/ticket', '/'],
    ['/ws/', '/ws/ticket', '/ws/'],
    ['/ws', '/ws/ticket', '/ws'],
  ])('has its routes where people put them: %s', async (path, target, asked) => {
    const call = await start(guardOfAll(), path)
    expect((await call({ target, method: 'POST', headers: authorization })).status).toBe(201)
    expect((await call({ target: asked })).status).toBe(426)
  })

  it('leaves the files of a site to others, where the path is of parameters alone', async () => {
    const call = await start(guardOfAll(), '/:room')
    expect(await (await call({ target: '/app.js' })).text()).toBe('not ours')
    expect((await call({ target: '/one/ticket', method: 'POST', headers: authorization })).status).toBe(201)
    const named = await start(guardOfAll(), '/rooms/:room')
    expect((await named({ target: '/rooms/one' })).status).toBe(426)
  })

  it('leaves a handshake to the route that it is for', async () => {
    const handshake = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' }
    const routes = createRoutes(guardOfAll(), { path: '/ws' })
    const answer = async (headers: Record<string, string>) =>
      (await routes.fetch(new Request('http://127.0.0.1/ws', { headers })))?.status
    expect(await answer(handshake)).toBeUndefined()
    expect(await answer({ ...handshake, 'sec-websocket-version': '8' })).toBeUndefined()
    // What a proxy has made a plain request of, or asks for something else, is none.
    expect(await answer({ ...handshake, connection: 'keep-alive' })).toBe(426)
    expect(await answer({ ...handshake, upgrade: 'h2c' })).toBe(426)
  })

  it('has no origin to allow when the guard asks for none', async () => {
    const call = await start(createGuard({ accept: [ticket(), header({ verify: verifyGood })] }))
    const response = await call({ ...post, headers: { ...authorization, Origin: origin } })
    expect(response.status).toBe(201)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })

  it.each(['/', '/ws', '/ws/ticket/', '/ws/tickets', '/x/ws/ticket', '/ws/TICKET', '/ws%2Fticket'])(
    'leaves %s to others',
    async (target) => {
      const call = await start(guardOfAll())
      expect(await (await call({ ...post, target, headers: authorization })).text()).toBe('not ours')
    },
  )

  it('serves the path that it is told, and binds the ticket to it', async () => {
    const guard = guardOfAll()
    const call = await start(guard, '/live/socket')
    const response = await call({ target: '/live/socket/ticket', method: 'POST', headers: authorization })
    const { ticket } = (await response.json()) as { ticket: string }
    const verdict = (path: string) =>
      guard.decide({
        method: 'GET',
        target: `${path}?ticket=${ticket}`,
        address: '',
        headers: Object.entries({
          host: 'a',
          connection: 'upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        }),
      })
    expect(await verdict('/live/socket')).toMatchObject({ type: 'accept', method: 'ticket' })
  })

  it('has no tickets when the guard has none', async () => {
    const call = await start(createGuard({ accept: [header({ verify: verifyGood })] }))
    expect((await call({ ...post, headers: authorization })).status).toBe(404)
  })

  it('tells the guard of what it refuses', async () => {
    const { guard, events } = watched()
    const call = await start(guard)
    await call({ ...post, headers: { Authorization: 'Bearer bad' } })
    expect(events).toEqual([
      {
        type: 'refused',
        id: expect.any(String),
        reason: 'credential-unknown',
        path: '/ws/ticket',
        address: expect.any(String),
      },
    ])
    await call({ ...post, headers: authorization })
    expect(events).toHaveLength(1)
  })

  const renewal = { target: '/ws/renew', method: 'POST', headers: authorization }
  const connection = (id: string) => JSON.stringify({ connection: id })

  it.each<[string, RequestLine, RequestLine, number, Reason]>([
    [
      'method',
      { ...post, method: 'GET', headers: authorization },
      { ...post, headers: authorization },
      405,
      'method-not-allowed',
    ],
    ['malformed body', { ...renewal, body: '{' }, { ...renewal, body: connection('x') }, 400, 'body-malformed'],
    [
      'large body',
      { ...renewal, body: connection('x'.repeat(16_384)) },
      { ...renewal, body: connection('x'.repeat(16_000)) },
      413,
      'body-too-large',
    ],
  ])('tells it of a %s, once, with a line in the log', async (_, bad, good, status, reason) => {
    const { guard, events, lines } = watched()
    const call = await start(guard)
    expect((await call(bad)).status).toBe(status)
    expect(events).toEqual([
      { type: 'refused', id: expect.any(String), reason, path: bad.target, address: expect.any(String) },
    ])
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'refused', reason, path: bad.target }])
    expect((await call(good)).status).not.toBe(status)
    expect(events.filter((event) => event.type === 'refused' && event.reason === reason)).toHaveLength(1)
  })
})

it.each([
  ['ws', '/ws'],
  ['', '/'],
  ['//ws', '/ws'],
  ['/ws?a', '/ws'],
  ['/ws//live/', '/ws/live'],
  ['wss://api.example.com/ws', '/ws'],
  ['/w s', '/ws'],
  ['/../ws', '/ws'],
])('does not start under %j, and says what to write: %s', (path, instead) => {
  const message = `${JSON.stringify(path)} is no path; write one such as "${instead}"`
  expect(() => createRoutes(guardOfAll(), { path })).toThrow(
    new ConfigurationError('path-invalid', `createRoutes: ${message}`),
  )
  const server = createServer()
  expect(() => guardServer(server, guardOfAll(), { path }, () => {})).toThrow(
    new ConfigurationError('path-invalid', `guardServer: ${message}`),
  )
})

describe('createRoutes as fetch, where the runtime keeps what came', () => {
  const fetching = async (url: string, headers: [string, string][]) => {
    const { guard, events } = watched()
    const request = { url, method: 'POST', headers: new Map(headers), body: null, bodyUsed: false }
    const response = await createRoutes(guard, { path: '/ws' }).fetch(request as unknown as Request)
    return { status: response?.status, events }
  }
  const bearer: [string, string] = ['authorization', 'Bearer good-ada']

  it.each([
    ['http://a/ws/ticket', 201],
    ['http://a/ws/ticket?x#y', 201],
    ['https://user@a:8443/ws/ticket', 201],
    ['/ws/ticket', 201],
    ['http://a/x/../ws/ticket', undefined],
    ['http://a//ws/ticket', undefined],
    ['http://a/%77s/ticket', undefined],
    ['http://a', undefined],
  ])('A35 reads the path of %s as it was written', async (url, status) => {
    expect((await fetching(url, [bearer])).status).toBe(status)
  })

  it.each<[string, [string, string][], number]>([
    ['one', [bearer], 201],
    ['two Authorizations', [['authorization', 'Bearer good-ada, Bearer good-eve']], 400],
    ['two equal ones', [['authorization', 'Bearer good-ada, Bearer good-ada']], 400],
    ['one good and one empty', [['authorization', 'Bearer good-ada, ']], 400],
    ['two Origins', [bearer, ['origin', `${origin}, https://evil.example`]], 400],
    ['two equal Origins', [bearer, ['origin', `${origin}, ${origin}`]], 400],
    ['a list that may be one', [bearer, ['accept', 'a, b']], 201],
  ])('A35 sees that a header came twice, where they are joined: %s', async (_, headers, status) => {
    expect((await fetching('http://a/ws/ticket', headers)).status).toBe(status)
  })
})

describe('createRoutes as node', () => {
  it('reads a header that came twice as twice', async () => {
    const server = createServer(async (request, response) => {
      await createRoutes(guardOfAll(), { path: '/ws' }).node(request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const ask = async (lines: string[]) =>
      (
        await rawRequest(
          port,
          `POST /ws/ticket HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines.join('\r\n')}\r\n\r\n`,
        )
      ).status
    expect(await ask(['Authorization: Bearer good-ada'])).toBe(201)
    expect(await ask(['Authorization: Bearer good-ada', 'Authorization: Bearer good-eve'])).toBe(400)
    expect(await ask(['Authorization: Bearer good-ada', `Origin: ${origin}`, 'Origin: https://evil.example'])).toBe(400)
  })
})
