import { once } from 'node:events'
import { Writable } from 'node:stream'
import websocket from '@fastify/websocket'
import { ConfigurationError, createGuard, type GuardEvent } from '@sallyport/server'
import { guardFastify } from '@sallyport/server/fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { Client } from '../../support/client.js'
import { testClock } from '../../support/clock.js'
import { deferred, nextTurn } from '../../support/deferred.js'
import { application, portOf } from '../../support/fastify.js'
import { allMethods, origin, verifyGood } from '../../support/guard.js'
import { held } from '../../support/held.js'
import { RawClient, rawFrame, rawHandshake, rawOpen, rawRequest } from '../../support/raw.js'
import { echo } from '../../support/server.js'

const headers = { Authorization: 'Bearer good-ada' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })
const orders = ['before', 'after'] as const

/** Routes as an application writes them: `/ws`, which is guarded, and `/theirs`, which is not. */
async function routes(app: FastifyInstance): Promise<void> {
  app.get('/ws', { websocket: true }, (socket, request) => echo(socket, request.guarded))
  app.get('/theirs', { websocket: true }, (socket) => socket.send('hello'))
}

/** An application with these routes, and what happens on its guard. */
async function set({
  order = 'before',
  verify,
  setUp = () => {},
  ...options
}: {
  /** When `@fastify/websocket` is registered. */
  order?: (typeof orders)[number]
  verify?: Parameters<typeof allMethods>[0]
  setUp?: (app: FastifyInstance) => unknown
} & FastifyServerOptions = {}) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(verify), clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const app = application(options)
  if (order === 'before') await app.register(websocket)
  await app.register(guardFastify(guard, { path: '/ws' }))
  if (order === 'after') await app.register(websocket)
  await setUp(app)
  await app.register(routes)
  const port = await portOf(app)
  return { app, clock, guard, events, port, url: `ws://127.0.0.1:${port}/ws` }
}

describe('guardFastify: hooks of the application', () => {
  const refusing = (status: number) => (app: FastifyInstance) => {
    app.addHook('preValidation', async (request, reply) => {
      if (request.ws && request.guarded.identity.id === 'ada') return reply.code(status).send({ no: true })
    })
  }

  it('run for who was accepted, and know who that is; for nobody else', async () => {
    const seen: string[] = []
    const { url, port } = await set({
      setUp: (app) =>
        app.addHook('onRequest', async (request) => void seen.push(`${request.url} ${request.guarded.identity.id}`)),
    })
    const client = await Client.open(url, { headers })
    expect(await client.text()).toBe('hello ada')
    expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
    expect(seen).toEqual(['/ws ada'])
  })

  it.each([
    [401, { code: 4001, reason: 'Authentication failed' }],
    [403, { code: 4003, reason: 'Forbidden' }],
    [404, { code: 4003, reason: 'Forbidden' }],
    [429, { code: 4029, reason: 'Too many attempts' }],
    [500, { code: 1011, reason: 'Internal error' }],
    [503, { code: 1013, reason: 'Temporarily unavailable' }],
  ])('refuse with %i, which closes the connection', async (status, closed) => {
    const { url, events } = await set({ setUp: refusing(status) })
    const client = await Client.open(url, { headers })
    client.send('what the handler must not see')
    expect(await client.closed).toEqual(closed)
    expect(client.waiting).toBe(0)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'ended', reason: `the application answered ${status}` }),
    )
    const control = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
    expect(await control.text()).toBe('hello eve')
  })

  it('refuse who came by first message too', async () => {
    const { url } = await set({ setUp: refusing(403) })
    const client = await Client.open(url)
    client.send(auth('good-ada'))
    expect(JSON.parse(await client.text())).toMatchObject({ type: 'auth_ok' })
    expect(await client.closed).toEqual({ code: 4003, reason: 'Forbidden' })
  })

  it('may take their time: what comes meanwhile waits, and who leaves meanwhile is never handed over', async () => {
    const asked = deferred()
    const aborted: string[] = []
    const seen: string[] = []
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const app = application()
    await app.register(websocket)
    await app.register(guardFastify(guard, { path: '/ws' }))
    app.addHook('preHandler', async ({ guarded }, reply) => {
      if (guarded.identity.id === 'ada') return asked.promise
      await once(reply.raw, 'close')
      aborted.push(guarded.identity.id)
      asked.resolve()
    })
    await app.register(async (routes) => {
      routes.get('/ws', { websocket: true }, (socket, { guarded }) => {
        seen.push(guarded.identity.id)
        echo(socket, guarded)
      })
    })
    const url = `ws://127.0.0.1:${await portOf(app)}/ws`
    const staying = await Client.open(url, { headers })
    const leaving = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
    staying.send('early')
    leaving.socket.terminate()
    expect(await staying.text()).toBe('hello ada')
    expect(await staying.text()).toBe('early')
    expect(aborted).toEqual(['eve'])
    expect(seen).toEqual(['ada'])
  })
})

describe('guardFastify: the path', () => {
  it.each(orders)('A46 is ours alone, with @fastify/websocket registered %s the guard', async (order) => {
    const { port, url } = await set({ order })
    const client = await Client.open(url, { headers })
    expect(await client.text()).toBe('hello ada')
    expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
    expect(await (await Client.open(`ws://127.0.0.1:${port}/theirs`)).text()).toBe('hello')
    expect((await rawRequest(port, rawHandshake('/none'))).status).toBe(404)
  })

  it.each<[string, { routerOptions?: object }]>([
    ['/%77s', {}],
    ['/WS', { routerOptions: { caseSensitive: false } }],
    ['/ws/', { routerOptions: { ignoreTrailingSlash: true } }],
    ['//ws', { routerOptions: { ignoreDuplicateSlashes: true } }],
    ['/ws;x', { routerOptions: { useSemicolonDelimiter: true } }],
  ])('A02 is not reached as %s, which the router takes for it', async (target, options) => {
    const { port, events } = await set(options)
    const response = await rawRequest(port, rawHandshake(target, headers))
    expect([response.status, JSON.parse(response.body).error]).toEqual([400, 'badRequest'])
    expect(events.map((event) => event.type === 'refused' && event.reason)).toEqual(['handshake-target'])
    const { client, head } = await rawOpen(port, '/ws', headers)
    expect(head.status).toBe(101)
    expect(await client.textsUntil(1)).toEqual(['hello ada'])
  })

  it('A02 leads to no route that is not behind the hook of the guard', async () => {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const events: GuardEvent[] = []
    guard.subscribe((event) => events.push(event))
    const app = application()
    await app.register(websocket)
    app.get('/ws', { websocket: true }, (socket) => socket.send('unguarded'))
    await app.register(async (inner) => {
      await inner.register(guardFastify(guard, { path: '/ws' }))
    })
    const client = await Client.open(`ws://127.0.0.1:${await portOf(app)}/ws`, { headers })
    expect(await client.closed).toEqual({ code: 1011, reason: 'Internal error' })
    expect(client.waiting).toBe(0)
    expect(events).toContainEqual(expect.objectContaining({ type: 'ended', error: expect.any(ConfigurationError) }))
  })

  it('stands behind a prefix, and may have parameters', async () => {
    const app = application()
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    await app.register(
      async (api) => {
        await api.register(
          guardFastify(guard, { path: '/rooms/:room' }, (socket, { params }) => socket.send(params.room)),
        )
      },
      { prefix: '/api' },
    )
    const port = await portOf(app)
    const client = await Client.open(`ws://127.0.0.1:${port}/api/rooms/a%20b`, { headers })
    expect(await client.text()).toBe('a b')
    expect((await rawRequest(port, rawHandshake('/rooms/x', headers))).status).toBe(404)
    const ticket = await app.inject({ method: 'POST', url: '/api/rooms/x/ticket', headers })
    expect(ticket.statusCode).toBe(201)
    const other = `ws://127.0.0.1:${port}/api/rooms/x?ticket=${ticket.json().ticket}`
    expect(await (await Client.open(other)).text()).toBe('x')
  })

  it('is guarded on all addresses of localhost', async () => {
    const app = application()
    await app.register(guardFastify(createGuard({ ...allMethods(), clock: testClock() }), { path: '/ws' }, echo))
    await portOf(app, { host: 'localhost' })
    for (const at of app.addresses()) {
      if (typeof at === 'string') continue
      const host = at.family === 'IPv6' ? `[${at.address}]` : at.address
      const client = await Client.open(`ws://${host}:${at.port}/ws`, { headers })
      expect(await client.text()).toBe('hello ada')
      await client.close()
    }
  })

  it('says at start that nobody takes the sockets', async () => {
    const app = application()
    await app.register(guardFastify(createGuard(allMethods()), { path: '/ws' }))
    await expect(app.ready()).rejects.toThrow(/register @fastify\/websocket on the same application, or give a handler/)
  })

  it('says at start that it is no path', async () => {
    const app = application()
    app.register(guardFastify(createGuard(allMethods()), { path: 'ws' }, echo))
    await expect(app.ready()).rejects.toThrow('"ws" is no path; write one such as "/ws"')
  })
})

describe('guardFastify: sockets', () => {
  it('go to who listens to a WebSocketServer of yours', async () => {
    const app = application()
    const webSocketServer = new WebSocketServer({ noServer: true })
    webSocketServer.on('connection', (socket, { url }) => socket.send(`connection ${url}`))
    await app.register(
      guardFastify(createGuard({ ...allMethods(), clock: testClock() }), { path: '/ws', webSocketServer }),
    )
    const client = await Client.open(`ws://127.0.0.1:${await portOf(app)}/ws`, { headers })
    expect(await client.text()).toBe('connection /ws')
  })

  it('are read also where nobody ever listens, once that is clear', async () => {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const app = application()
    await app.register(websocket)
    await app.register(guardFastify(guard, { path: '/ws' }))
    await app.register(async (routes) => {
      routes.get('/ws', { websocket: true }, (socket) => socket.send('feed'))
    })
    const { client } = await rawOpen(await portOf(app), '/ws', headers)
    await client.textsUntil(1)
    // More than are kept for who may still listen.
    for (let i = 0; i < 100; i++) client.write(rawFrame('x'.repeat(1_000)))
    await nextTurn()
    clock.advance(10_000)
    await client.ping()
    expect(client.isClosed).toBe(false)
  })

  it('A20 of a peer that resets while it is verified do not end the process', async () => {
    const { verify, asked, release } = held()
    const { port, url } = await set({
      verify: (token, context) => (token === 'good-ada' ? verify : verifyGood)(token, context),
    })
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', headers))
    await asked
    client.socket.resetAndDestroy()
    const control = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
    release()
    expect(await control.text()).toBe('hello eve')
  })

  it('are closed with the application, and only its own', async () => {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const [app, other] = [application(), application()]
    const [url, otherUrl] = await Promise.all(
      [app, other].map(async (app) => {
        await app.register(guardFastify(guard, { path: '/ws' }, echo))
        return `ws://127.0.0.1:${await portOf(app)}/ws`
      }),
    )
    const [client, deaf, stays] = [
      await Client.open(url!, { headers }),
      await rawOpen(Number(new URL(url!).port), '/ws', headers),
      await Client.open(otherUrl!, { headers }),
    ]
    const closed = app.close()
    expect(await client.closed).toEqual({ code: 1012, reason: 'Service restart' })
    expect(await deaf.client.closeFrame()).toEqual({ code: 1012, reason: 'Service restart' })
    clock.advance(1_000)
    await closed
    stays.send('still here')
    expect([await stays.text(), await stays.text()]).toEqual(['hello ada', 'still here'])
  })

  it('that are accepted while it closes are closed too', async () => {
    const { verify, asked, release } = held()
    const guard = createGuard({ ...allMethods(verify), clock: testClock() })
    const app = application()
    await app.register(guardFastify(guard, { path: '/ws' }, echo))
    const port = await portOf(app)
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', headers))
    await asked
    const closed = app.close()
    await nextTurn()
    release()
    expect(await client.closeFrame()).toEqual({ code: 1012, reason: 'Service restart' })
    expect(client.texts()).toEqual([])
    client.write(rawFrame(Buffer.from([0x03, 0xf4]), { opcode: 8 }))
    client.socket.end()
    await closed
  })
})

describe('guardFastify: injectWS', () => {
  it('comes to the route without a network, and is refused as everybody', async () => {
    const { app } = await set()
    const greeting = deferred<string>()
    const options = {
      onInit: (socket: { on(event: 'message', listener: (data: unknown) => void): void }) =>
        socket.on('message', (data) => greeting.resolve(String(data))),
    }
    const client = await app.injectWS('/ws?room=1', { headers: { authorization: 'Bearer good-ada' } }, options)
    expect(await greeting.promise).toBe('hello ada')
    client.terminate()
    const bad = app.injectWS('/ws', { headers: { authorization: 'Bearer bad' } })
    await expect(bad).rejects.toThrow('Unexpected server response: 401')
  })
})

describe('guardFastify: routes', () => {
  it('stand before the body parser, and answer what is not theirs to answer as Fastify does', async () => {
    const { app, url } = await set()
    const call = (method: 'GET' | 'POST' | 'OPTIONS', path: string, more: object = {}) =>
      app.inject({ method, url: path, ...more })
    const issued = await call('POST', '/ws/ticket', {
      headers: { ...headers, 'Content-Type': 'text/x-none' },
      payload: 'x',
    })
    expect(issued.statusCode).toBe(201)
    expect(await (await Client.open(`${url}?ticket=${issued.json().ticket}`)).text()).toBe('hello ada')
    const broken = { headers: { ...headers, 'Content-Type': 'application/json' }, payload: '{' }
    expect((await call('POST', '/ws/renew', broken)).json()).toMatchObject({ error: 'badRequest' })
    expect((await call('POST', '/ws/ticket')).statusCode).toBe(401)
    expect((await call('GET', '/ws/ticket')).headers.allow).toBe('POST')
    expect((await call('GET', '/ws')).statusCode).toBe(426)
    expect((await call('POST', '/ws/backchannel-logout')).statusCode).toBe(404)
    expect((await call('POST', '/ws/%74icket', { headers })).statusCode).toBe(404)
    const preflight = await call('OPTIONS', '/ws/ticket', { headers: { Origin: origin } })
    expect(preflight.headers['access-control-allow-origin']).toBe(origin)
  })

  it('leave pages to the application, whose requests have no connection', async () => {
    const { app } = await set({
      setUp: (app) => app.get('/page', async (request) => request.guarded.id),
    })
    const response = await app.inject('/page')
    expect([response.statusCode, response.json().message]).toEqual([
      500,
      'request.guarded: the request has come by no guarded WebSocket route',
    ])
    expect((await app.inject({ url: '/ws', headers: { Accept: 'text/html' } })).statusCode).toBe(404)
  })
})

it('J01 keeps credentials out of the log of Fastify', async () => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const { app, port, url } = await set({ logger: { stream } })
  const { ticket } = (await app.inject({ method: 'POST', url: '/ws/ticket', headers })).json()
  const clients = [
    await Client.open(`${url}?room=1&token=good-secret`),
    await Client.open(`${url}?ticket=${ticket}`),
    await Client.open(url, { protocols: ['app.v1', 'sallyport.bearer.Z29vZC1hZGE'] }),
  ]
  for (const client of clients) expect(await client.text()).toMatch(/^hello /)
  await rawOpen(port, '/ws?token=bad-secret')
  const log = lines.join('')
  expect(log).toContain('"url":"/ws?room=1"')
  for (const credential of ['good-secret', 'bad-secret', ticket, 'Z29vZC1hZGE']) expect(log).not.toContain(credential)
})
