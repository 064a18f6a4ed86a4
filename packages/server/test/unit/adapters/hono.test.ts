import { type HttpBindings, upgradeWebSocket } from '@hono/node-server'
import { createGuard, type GuardEvent, type Identity, type Verifier } from '@sallyport/server'
import { guardHono } from '@sallyport/server/hono'
import { Hono, type MiddlewareHandler } from 'hono'
import { logger } from 'hono/logger'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { Client } from '../../support/client.js'
import { testClock } from '../../support/clock.js'
import { deferred } from '../../support/deferred.js'
import { allMethods, origin } from '../../support/guard.js'
import { serving } from '../../support/hono.js'
import { rawHandshake, rawOpen, rawRequest } from '../../support/raw.js'

const headers = { Authorization: 'Bearer good-ada' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })

/** An application whose `/ws` greets and echoes, and what happens on its guard. */
async function set({
  before = (_, next) => next(),
  app = new Hono(),
  besides = (app) => app,
  verify,
}: {
  /** Runs behind the guard, before the route. */
  before?: MiddlewareHandler
  app?: Hono
  besides?: (app: Hono) => unknown
  verify?: Verifier<Identity>
} = {}) {
  const guard = createGuard({ ...allMethods(verify), clock: testClock() })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const seen: string[] = []
  const { middleware, attach } = guardHono(guard, { path: '/ws' })
  app
    .use('/ws/*', middleware)
    .use('/ws', before)
    .get('/ws', (c) => {
      const { id } = c.get('connection').identity
      return upgradeWebSocket(c, {
        onOpen: (_, socket) => socket.send(`hello ${id}`),
        onMessage: ({ data }, socket) => socket.send(data as string),
        onClose: ({ code }) => seen.push(`${id} closed with ${code}`),
      })
    })
  besides(app)
  const webSocketServer = new WebSocketServer({ noServer: true })
  // Hono's own type of a ws server, which that of ws does not fit.
  const port = await serving(app, (server) => attach(server, app), { websocket: { server: webSocketServer as never } })
  return { app, guard, events, seen, port, url: `ws://127.0.0.1:${port}/ws` }
}

describe('guardHono: the application', () => {
  it('gets sockets as Hono tells of them, whoever came how', async () => {
    const { url, seen } = await set()
    const byHeader = await Client.open(url, { headers })
    const byMessage = await Client.open(url)
    byMessage.send(auth('good-eve'))
    expect(JSON.parse(await byMessage.text())).toMatchObject({ type: 'auth_ok', userId: 'eve' })
    for (const [client, id] of [
      [byHeader, 'ada'],
      [byMessage, 'eve'],
    ] as const) {
      expect(await client.text()).toBe(`hello ${id}`)
      client.send('echo')
      expect(await client.text()).toBe('echo')
    }
    byHeader.socket.close(4321)
    await byHeader.closed
    expect(seen).toEqual(['ada closed with 4321'])
  })

  it('may take events from a function of the context, too', async () => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const { middleware, attach } = guardHono(guard, { path: '/rooms/:room' })
    const app = new Hono()
    app.use('/rooms/:room/*', middleware)
    app.get(
      '/rooms/:room',
      upgradeWebSocket(async (c) => ({
        onOpen: (_, socket) => socket.send(`${c.get('connection').identity.id} in ${c.req.param('room')}`),
      })),
    )
    const port = await serving(app, (server) => attach(server, app))
    const client = await Client.open(`ws://127.0.0.1:${port}/rooms/a%20b`, { headers })
    expect(await client.text()).toBe('ada in a b')
  })

  it.each([
    [401, { code: 4001, reason: 'Authentication failed' }],
    [403, { code: 4003, reason: 'Forbidden' }],
    [429, { code: 4029, reason: 'Too many attempts' }],
    [500, { code: 1011, reason: 'Internal error' }],
  ] as const)('may refuse in its middleware with %i, which closes the connection', async (status, closed) => {
    const { url, events } = await set({
      before: (c, next) => (c.get('connection').identity.id === 'ada' ? Promise.resolve(c.text('no', status)) : next()),
    })
    const client = await Client.open(url, { headers })
    expect(await client.closed).toEqual(closed)
    expect(client.waiting).toBe(0)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'ended', reason: `the application answered ${status}` }),
    )
    const control = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
    expect(await control.text()).toBe('hello eve')
  })

  it('may throw in its middleware, which is 1011', async () => {
    const { url } = await set({
      before: () => {
        throw new Error('bug')
      },
    })
    expect(await (await Client.open(url, { headers })).closed).toEqual({ code: 1011, reason: 'Internal error' })
  })

  it('never gets a socket whose client has left while its middleware took its time', async () => {
    const { promise, resolve } = deferred()
    const { url, guard, seen } = await set({
      before: async (_, next) => {
        await promise
        await next()
      },
    })
    const leaving = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
    const staying = await Client.open(url, { headers })
    staying.send('early')
    const closed = new Promise((resolve) => guard.subscribe(({ type }) => type === 'closed' && resolve(type)))
    leaving.socket.terminate()
    await closed
    resolve()
    expect([await staying.text(), await staying.text()]).toEqual(['hello ada', 'early'])
    await staying.close()
    expect(seen.filter((line) => line.startsWith('eve'))).toEqual([])
  })
})

describe('guardHono: the path', () => {
  it('A46 is ours alone beside the WebSockets of Hono itself, which keep their routes and refusals', async () => {
    const { port, url } = await set({
      besides: (app) => {
        app.use('/refused', (c) => Promise.resolve(c.text('no', 401)))
        app.get(
          '/theirs',
          upgradeWebSocket(() => ({ onOpen: (_, socket) => socket.send('hello') })),
        )
      },
    })
    expect(await (await Client.open(url, { headers })).text()).toBe('hello ada')
    expect(await (await Client.open(`ws://127.0.0.1:${port}/theirs`)).text()).toBe('hello')
    expect((await rawRequest(port, rawHandshake('/refused'))).status).toBe(401)
    expect((await rawRequest(port, rawHandshake('/none'))).status).toBe(404)
  })

  it.each([
    ['/%77s', {}],
    ['/ws/', { strict: false }],
  ])('A02 is not reached as %s, which the router takes for it', async (target, options) => {
    const { port, events } = await set({ app: new Hono(options) })
    expect((await rawRequest(port, rawHandshake(target, headers))).status).toBe(400)
    expect(events.map((event) => event.type === 'refused' && event.reason)).toEqual(['handshake-target'])
    const { client, head } = await rawOpen(port, '/ws', headers)
    expect(head.status).toBe(101)
    expect(await client.textsUntil(1)).toEqual(['hello ada'])
  })

  it('A02 leads to no route that the middleware does not stand before', async () => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const { attach } = guardHono(guard, { path: '/ws' })
    const app = new Hono().get(
      '/ws',
      upgradeWebSocket(() => ({ onOpen: (_, socket) => socket.send('unguarded') })),
    )
    const port = await serving(app, (server) => attach(server, app))
    const client = await Client.open(`ws://127.0.0.1:${port}/ws`, { headers })
    expect(await client.closed).toEqual({ code: 1011, reason: 'Internal error' })
    expect(client.waiting).toBe(0)
  })

  it('is given back', async () => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const { middleware, attach } = guardHono(guard, { path: '/ws' })
    const app = new Hono().use('/ws/*', middleware).get('/ws', (c) => upgradeWebSocket(c, {}))
    let giveBack = () => {}
    const port = await serving(app, (server) => {
      giveBack = attach(server, app)
    })
    expect((await rawOpen(port, '/ws', headers)).head.status).toBe(101)
    giveBack()
    expect((await rawOpen(port, '/ws', headers)).head.status).not.toBe(101)
  })
})

describe('guardHono: routes', () => {
  it('are routes of the application, on the network and without', async () => {
    const { app, port, url } = await set()
    const base = `http://127.0.0.1:${port}`
    const issued = await fetch(`${base}/ws/ticket`, { method: 'POST', headers })
    expect([issued.status, issued.headers.get('cache-control')]).toEqual([201, 'no-store'])
    const { ticket } = (await issued.json()) as { ticket: string }
    expect(await (await Client.open(`${url}?ticket=${ticket}`)).text()).toBe('hello ada')
    const broken = await fetch(`${base}/ws/renew`, { method: 'POST', headers, body: '{' })
    expect(await broken.json()).toMatchObject({ error: 'badRequest' })
    expect((await fetch(`${base}/ws/ticket`, { method: 'POST' })).status).toBe(401)
    expect((await fetch(`${base}/ws/ticket`)).headers.get('allow')).toBe('POST')
    expect((await fetch(`${base}/ws`)).status).toBe(426)
    const preflight = await fetch(`${base}/ws/ticket`, { method: 'OPTIONS', headers: { Origin: origin } })
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
    expect((await app.request('/ws/ticket', { method: 'POST', headers })).status).toBe(201)
  })

  it('G51 count what comes from one address', async () => {
    const guard = createGuard({ ...allMethods(), clock: testClock(), limits: { failedAttempts: 1 } })
    const { middleware, attach } = guardHono(guard, { path: '/ws' })
    const app = new Hono<{ Bindings: HttpBindings }>().use('/ws/*', middleware)
    const port = await serving(app, (server) => attach(server, app))
    const bad = { method: 'POST', headers: { Authorization: 'Bearer bad' } }
    const statuses = []
    for (let i = 0; i < 2; i++) statuses.push((await fetch(`http://127.0.0.1:${port}/ws/ticket`, bad)).status)
    expect(statuses).toEqual([401, 429])
  })
})

it('J01 keeps credentials out of the log of Hono', async () => {
  const lines: string[] = []
  const app = new Hono()
  app.use(logger((line) => void lines.push(line)))
  const { port, url } = await set({ app })
  const client = await Client.open(`${url}?room=1&token=good-secret`)
  expect(await client.text()).toBe('hello secret')
  await rawOpen(port, '/ws?token=bad-secret')
  expect(lines.join('\n')).toContain('GET /ws?room=1')
  expect(lines.join('\n')).not.toContain('secret')
})
