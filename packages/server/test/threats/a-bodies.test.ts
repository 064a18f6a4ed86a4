import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, connect as openSession } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createGuard, createRoutes, type Guard, header, type Reason, rejected, ticket } from '@sallyport/server'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testClock } from '../support/clock.js'
import { verifyGood } from '../support/guard.js'
import { RawClient, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'

const authorization = { Authorization: 'Bearer good-ada' }

function setUp() {
  const clock = testClock()
  const guard = createGuard({ accept: [ticket(), header({ verify: verifyGood })], clock })
  const reasons: Reason[] = []
  guard.subscribe((event) => {
    if (event.type === 'refused') reasons.push(event.reason)
  })
  const logoutToken = async (token: string) =>
    token === 'abc' ? { issuer: 'i', session: 's-x', at: 0 } : rejected('credential-unreadable')
  const routes = createRoutes(guard, { path: '/ws', logoutToken })
  return { clock, guard, routes, reasons }
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Express with the routes, and what runs before them. */
async function inExpress(before: express.RequestHandler[], mount = '/') {
  const { guard, routes, reasons } = setUp()
  const app = express()
  for (const handler of before) app.use(handler)
  app.use(mount, async (request, response, next) => {
    if (!(await routes.node(request, response))) next()
  })
  app.use(express.json())
  app.post('/own', (request, response) => {
    response.json(request.body)
  })
  const port = await serve(app)
  const { first, second, renewed } = await openTwo(guard)
  const renew = async (body: string | undefined, type: string) => {
    const headers = { ...authorization, ...(body !== undefined && { 'Content-Type': type }) }
    return fetch(`http://127.0.0.1:${port}/ws/renew`, { method: 'POST', headers, ...(body !== undefined && { body }) })
  }
  return { port, first, second, renewed, renew, reasons }
}

/** Two connections of one session: a renewal of both answers alike, of one renews one. */
async function openTwo(guard: Guard) {
  const { port } = await startServer(guard)
  const open = async () => {
    const { client } = await rawOpen(port, '/ws', authorization)
    await client.textsUntil(1)
    onTestFinished(() => client.destroy())
  }
  await open()
  await open()
  const [first, second] = [...guard.connections]
  const renewed: string[] = []
  guard.subscribe((event) => {
    if (event.type === 'renewed') renewed.push(event.connection.id)
  })
  return { first: first!.id, second: second!.id, renewed }
}

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const objectOfNothing: express.RequestHandler = (request, _, next) => {
  request.body ??= {}
  next()
}
const eater: express.RequestHandler = async (request, _, next) => {
  for await (const _chunk of request);
  next()
}

describe('A: a body in Express 5', () => {
  it.each<[string, express.RequestHandler[], string]>([
    ['nothing', [], json],
    ['express.json()', [express.json()], json],
    ['express.text()', [express.text({ type: '*/*' })], json],
    ['express.raw()', [express.raw({ type: '*/*' })], json],
    ['express.urlencoded()', [express.urlencoded()], form],
    ['all of them', [express.json(), express.urlencoded(), express.text(), express.raw()], json],
    ['a parser of something else', [express.urlencoded()], json],
  ])('A32 means the connection that it names, behind %s', async (_, before, type) => {
    const { first, renewed, renew, reasons } = await inExpress(before)
    const body = type === form ? `connection=${first}` : JSON.stringify({ connection: first })
    expect((await renew(body, type)).status).toBe(200)
    expect(renewed).toEqual([first])
    expect(reasons).toEqual([])
  })

  it.each<[string, express.RequestHandler[]]>([
    ['nothing', []],
    ['express.json()', [express.json()]],
    ['a parser that makes an object of nothing', [express.json(), objectOfNothing]],
    ['one that has read it to its end', [eater]],
  ])('A32 means the whole session when there is none, behind %s', async (_, before) => {
    const { first, second, renewed, renew } = await inExpress(before)
    expect((await renew(undefined, json)).status).toBe(200)
    expect(renewed.toSorted()).toEqual([first, second].toSorted())
  })

  it.each<[string, express.RequestHandler[], string, number, Reason]>([
    ['eaten by somebody', [eater], '{"connection":"x"}', 500, 'body-gone'],
    ['parsed into an empty object', [express.json()], '{}', 400, 'body-malformed'],
    ['parsed into a list', [express.json()], '[]', 400, 'body-malformed'],
    ['parsed into a number', [express.json({ strict: false })], '7', 400, 'body-malformed'],
    ['parsed into null', [express.json({ strict: false })], 'null', 400, 'body-malformed'],
    ['of a connection that is no text', [express.json()], '{"connection":{}}', 400, 'body-malformed'],
  ])('A32 never means the whole session when it is %s', async (_, before, body, status, reason) => {
    const { first, renewed, renew, reasons } = await inExpress(before)
    const response = await renew(body, json)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ message: expect.stringMatching(/Call the routes before|Send \{/) })
    expect(renewed).toEqual([])
    expect(reasons).toEqual([reason])
    expect((await renew(JSON.stringify({ connection: first }), json)).status).toBe(before[0] === eater ? 500 : 200)
  })

  it('A32 of a provider that logs somebody out is read behind a parser, too', async () => {
    const { port } = await inExpress([express.urlencoded()])
    const response = await fetch(`http://127.0.0.1:${port}/ws/backchannel-logout`, {
      method: 'POST',
      headers: { 'Content-Type': form },
      body: 'logout_token=abc',
    })
    expect(response.status).toBe(200)
  })

  it('A32 is left to the application on its own routes', async () => {
    const { port } = await inExpress([])
    const post = { method: 'POST', headers: { 'Content-Type': json }, body: '{"a":1}' }
    expect(await (await fetch(`http://127.0.0.1:${port}/own`, post)).json()).toEqual({ a: 1 })
  })

  it('A33 is asked for by the whole path, where Express has cut it', async () => {
    const { port } = await inExpress([], '/ws')
    const post = { method: 'POST', headers: authorization }
    expect((await fetch(`http://127.0.0.1:${port}/ws/ticket`, post)).status).toBe(201)
    expect((await fetch(`http://127.0.0.1:${port}/ticket`, post)).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${port}/ws/ws/ticket`, post)).status).toBe(404)
  })

  it('A33 says 426 to who asks for the path of the WebSocket with plain HTTP', async () => {
    const { port, reasons } = await inExpress([])
    const response = await fetch(`http://127.0.0.1:${port}/ws`)
    expect(response.status).toBe(426)
    expect(response.headers.get('upgrade')).toBe('websocket')
    expect(response.headers.get('sec-websocket-version')).toBe('13')
    expect(reasons).toEqual(['not-a-websocket'])
    // A page of that path is the application's.
    const page = await fetch(`http://127.0.0.1:${port}/ws`, { headers: { Accept: 'text/html,application/xhtml+xml' } })
    expect(page.status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${port}/ws`, { method: 'POST' })).status).toBe(404)
  })
})

describe('A: a body over HTTP/2', () => {
  /** The routes on a server of HTTP/2, behind one that has read the body or not. */
  async function over2(isRead = false) {
    const { guard, routes, reasons } = setUp()
    const two = await openTwo(guard)
    const server = createHttp2Server(async (request, response) => {
      if (isRead) for await (const _chunk of request);
      // As frameworks hand them on.
      await routes.node(request as unknown as IncomingMessage, response as unknown as ServerResponse)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = openSession(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      session.destroy()
      server.close()
    })
    /** `body: undefined` ends the stream with its headers. */
    const post = async (path: string, body: string | undefined, length?: number) => {
      const more = length !== undefined && { 'content-length': length }
      const headers = { ':method': 'POST', ':path': path, ...authorization, ...more }
      const stream = session.request(headers, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      const [answer] = await once(stream, 'response')
      stream.resume()
      return answer[':status']
    }
    return { ...two, reasons, post }
  }

  it.each([undefined, 52])('A32 means the connection that it names, of the length %s', async (length) => {
    const { first, post, renewed } = await over2()
    const body = JSON.stringify({ connection: first }).padEnd(52)
    expect(body).toHaveLength(52)
    expect(await post('/ws/renew', body, length)).toBe(200)
    expect(renewed).toEqual([first])
  })

  it.each<[string, string | undefined, boolean]>([
    ['it ends with its headers', undefined, false],
    ['it ends with its headers, behind one that has read it', undefined, true],
    ['nothing comes behind them', '', false],
  ])('A32 means the whole session when there is none: %s', async (_, body, isRead) => {
    const { first, second, post, renewed } = await over2(isRead)
    expect(await post('/ws/renew', body)).toBe(200)
    expect(renewed.toSorted()).toEqual([first, second].toSorted())
  })

  it('A32 never means the whole session when somebody has eaten it', async () => {
    const { first, post, renewed, reasons } = await over2(true)
    expect(await post('/ws/renew', JSON.stringify({ connection: first }))).toBe(500)
    expect(renewed).toEqual([])
    expect(reasons).toEqual(['body-gone'])
  })

  it('A32 of a provider that logs somebody out is read', async () => {
    const { post } = await over2()
    expect(await post('/ws/backchannel-logout', 'logout_token=abc')).toBe(200)
  })
})

describe('A: a body that does not come', () => {
  it('A34 is waited for ten seconds, however it drips, and ends the connection', async () => {
    const { clock, routes, reasons } = setUp()
    const port = await serve((request, response) => {
      routes.node(request, response).catch(() => {})
    })
    const client = await RawClient.connect(port)
    client.write('POST /ws/renew HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good-ada\r\nContent-Length: 20\r\n\r\n{')
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(9_999)
    client.write('"')
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1)
    const response = await client.toEnd()
    expect(response.status).toBe(408)
    expect(response.headers.get('connection')).toBe('close')
    expect(reasons).toEqual(['body-late'])
    client.destroy()
  })

  it('A34 of a fetch request, too', async () => {
    const { clock, routes } = setUp()
    const body = new ReadableStream({ pull: () => new Promise(() => {}) })
    const init = { method: 'POST', headers: authorization, body, duplex: 'half' }
    const answer = routes.fetch(new Request('http://a/ws/renew', init as RequestInit))
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(10_000)
    expect((await answer)?.status).toBe(408)
  })

  it('A34 leaves no timer behind when it comes', async () => {
    const { clock, routes } = setUp()
    const init = { method: 'POST', headers: authorization, body: '{"connection":"x"}' }
    expect((await routes.fetch(new Request('http://a/ws/renew', init)))?.status).toBe(404)
    expect(clock.pending).toBe(0)
  })

  it('A32 is not taken for empty when somebody has read the fetch request', async () => {
    const { routes, reasons } = setUp()
    const request = new Request('http://a/ws/renew', { method: 'POST', headers: authorization, body: '{}' })
    await request.text()
    expect((await routes.fetch(request))?.status).toBe(500)
    const locked = new Request('http://a/ws/renew', { method: 'POST', headers: authorization, body: '{}' })
    locked.body?.getReader()
    expect((await routes.fetch(locked))?.status).toBe(500)
    expect(reasons).toEqual(['body-gone', 'body-gone'])
  })
})
