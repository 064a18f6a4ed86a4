import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo, Socket } from 'node:net'
import { ConfigurationError, createGuard, type Guard, type Identity } from '@sallyport/server'
import { type ConnectionHandler, connectionOf, type GuardServerOptions, guardServer } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { Client } from '../../support/client.js'
import { testClock } from '../../support/clock.js'
import { deferred } from '../../support/deferred.js'
import { allMethods, guardOfAll, origin } from '../../support/guard.js'
import { RawClient, rawFrame, rawHandshake, rawOpen, rawRequest } from '../../support/raw.js'
import { echo, startServer } from '../../support/server.js'

const headers = { Authorization: 'Bearer good-ada' }
const auth = JSON.stringify({ type: 'auth', token: 'good-ada' })

/** A server without a guard yet. */
async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.writeHead(404).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

const status = async (port: number, path: string): Promise<number> => (await rawOpen(port, path, headers)).head.status

describe('guardServer: the paths of a server', () => {
  it('leaves a path that no guard owns to the other listeners', async () => {
    const { server, port } = await listen()
    guardServer(server, guardOfAll(), { path: '/ws' }, echo)
    const others = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') others.handleUpgrade(request, socket, head, (other) => other.send('other'))
    })
    expect(await (await Client.open(`ws://127.0.0.1:${port}/other`)).text()).toBe('other')
    expect(await (await Client.open(`ws://127.0.0.1:${port}/ws`, { headers })).text()).toBe('hello ada')
  })

  it('refuses a path that nobody owns', async () => {
    const { server, port } = await listen()
    guardServer(server, guardOfAll(), { path: '/ws' }, echo)
    const refused = await rawRequest(port, rawHandshake('/other', headers))
    expect(refused.status).toBe(404)
    expect(JSON.parse(refused.body)).toMatchObject({ error: 'notFound' })
    expect(await status(port, '/ws')).toBe(101)
  })

  it.each(['/ws/', '/WS', '/ws/x', '//ws', '/./ws', '/%77s', '/ws%00', '/ws;x', '/x/../ws', 'http://127.0.0.1/ws'])(
    'does not take %s for /ws',
    async (target) => {
      const { port } = await startServer(guardOfAll())
      expect([400, 404]).toContain((await rawRequest(port, rawHandshake(target, headers))).status)
      expect(await status(port, '/ws')).toBe(101)
    },
  )

  it('guards several paths, each by its own guard', async () => {
    const { server, port } = await listen()
    const guards = { '/a': guardOfAll(), '/b': guardOfAll() }
    const seen: string[] = []
    for (const [path, guard] of Object.entries(guards)) {
      guardServer(server, guard, { path }, (_, connection) => {
        seen.push(`${path} ${connection.path}`)
      })
    }
    expect(server.listenerCount('upgrade')).toBe(1)
    for (const path of ['/a', '/b', '/b']) expect(await status(port, path)).toBe(101)
    expect(await status(port, '/c')).toBe(404)
    expect(seen).toEqual(['/a /a', '/b /b', '/b /b'])
    expect([guards['/a'].connections.size, guards['/b'].connections.size]).toEqual([1, 2])
  })

  it('takes a route off, and leaves its connections and the other routes', async () => {
    const { server, port } = await listen()
    const detach = guardServer(server, guardOfAll(), { path: '/a' }, echo)
    guardServer(server, guardOfAll(), { path: '/b' }, echo)
    const live = await Client.open(`ws://127.0.0.1:${port}/a`, { headers })
    expect(await live.text()).toBe('hello ada')
    detach()
    expect(await status(port, '/a')).toBe(404)
    expect(await status(port, '/b')).toBe(101)
    live.send('still here')
    expect(await live.text()).toBe('still here')
  })

  it.each([
    ['in the order they came', [0, 1, 2]],
    ['in the opposite order', [2, 1, 0]],
    ['in another order', [1, 2, 0]],
  ])('leaves no listener when all routes are off, taken off %s', async (_, order) => {
    const { server, port } = await listen()
    const detach = ['/a', '/b', '/c'].map((path) => guardServer(server, guardOfAll(), { path }, echo))
    for (const route of order) detach[route]?.()
    expect(server.listenerCount('upgrade')).toBe(0)
    guardServer(server, guardOfAll(), { path: '/a' }, echo)
    expect(await status(port, '/a')).toBe(101)
    expect(await status(port, '/b')).toBe(404)
  })

  it('may be taken off twice without harm to who came after', async () => {
    const { server, port } = await listen()
    const detach = guardServer(server, guardOfAll(), { path: '/a' }, echo)
    detach()
    guardServer(server, guardOfAll(), { path: '/a' }, echo)
    detach()
    expect(await status(port, '/a')).toBe(101)
    guardServer(server, guardOfAll(), { path: '/b' }, echo)
    expect(server.listenerCount('upgrade')).toBe(1)
  })

  it('refuses to guard a path twice', async () => {
    const { server } = await listen()
    const guardPath = () => guardServer(server, guardOfAll(), { path: '/ws' }, echo)
    const detach = guardPath()
    expect(guardPath).toThrow(ConfigurationError)
    detach()
    expect(guardPath).not.toThrow()
  })

  it.each(['ws', '/ws?x', '', '/a//b', '/a/../b'])('refuses %j as a path', async (path) => {
    const { server } = await listen()
    expect(() => guardServer(server, guardOfAll(), { path }, echo)).toThrow(ConfigurationError)
    expect(server.listenerCount('upgrade')).toBe(0)
  })
})

describe('guardServer: what may wait for a slow reader', () => {
  it.each([Number.NaN, -1])('is a number of bytes, and not %d', async (maxBufferedBytes) => {
    const { server } = await listen()
    const guardPath = (bytes: number) =>
      guardServer(server, guardOfAll(), { path: '/ws', maxBufferedBytes: bytes }, echo)
    expect(() => guardPath(maxBufferedBytes)).toThrow(ConfigurationError)
    expect(() => guardPath(Number.POSITIVE_INFINITY)).not.toThrow()
  })
})

describe('guardServer: a dialect of the user', () => {
  it.each([401, 1004, 1005, 1006, 1015, 2999, 5000, 4001.5, Number.NaN, '4001'])(
    'has codes that can be sent, and not %j',
    async (code) => {
      const { server } = await listen()
      const guardPath = (revoked: unknown) =>
        guardServer(server, guardOfAll(), { path: '/ws', dialect: { closeCodes: { revoked } as never } }, echo)
      expect(() => guardPath(code)).toThrow(ConfigurationError)
      for (const good of [1000, 1003, 1007, 1014, 3000, 4999]) expect(() => guardPath(good)()).not.toThrow()
    },
  )
})

describe('guardServer: a WebSocketServer of the user', () => {
  async function startWith(options: ServerOptions, handler?: ConnectionHandler<Identity>) {
    const webSocketServer = new WebSocketServer({ noServer: true, ...options })
    return { ...(await startServer(guardOfAll(), handler, { webSocketServer })), webSocketServer }
  }

  it('must have no server of its own', async () => {
    const { server } = await listen()
    const webSocketServer = new WebSocketServer({ server: createServer() })
    expect(() => guardServer(server, guardOfAll(), { path: '/ws', webSocketServer }, echo)).toThrow(ConfigurationError)
  })

  it('must be of a version whose sockets can be guarded', async () => {
    const { server } = await listen()
    const require = createRequire(createRequire(import.meta.url).resolve('express-ws'))
    const old: { readonly Server: typeof WebSocketServer } = require('ws')
    const webSocketServer = new old.Server({ noServer: true })
    const guardWith = (webSocketServer: WebSocketServer) =>
      guardServer(server, guardOfAll(), { path: '/ws', webSocketServer }, echo)
    expect(() => guardWith(webSocketServer)).toThrow(/ws 8\.21 or later/)
    expect(() => guardWith(new WebSocketServer({ noServer: true }))).not.toThrow()
  })

  it('has exactly the accepted sockets among its clients', async () => {
    const { port, url, webSocketServer } = await startWith({})
    const { clients } = webSocketServer
    const { client: pending } = await rawOpen(port, '/ws')
    const { client: turnedAway } = await rawOpen(port, '/ws', { Origin: origin, Authorization: 'Bearer bad' })
    await turnedAway.closeFrame()
    expect(clients.size).toBe(0)
    const header = await Client.open(url, { headers })
    expect(clients.size).toBe(1)
    pending.write(rawFrame(auth))
    await pending.textsUntil(2)
    expect(clients.size).toBe(2)
    const left = (count: number) =>
      new Promise<void>((resolve) => {
        for (const client of clients) client.once('close', () => clients.size === count && resolve())
      })
    const both = left(0)
    pending.destroy()
    header.close()
    await both
    expect(clients.size).toBe(0)
  })

  it.each([
    ['header', { headers }, undefined],
    ['first message', {}, auth],
  ])(
    'closes when its last client, accepted by %s, has left',
    async (_, credential, message) => {
      const { url, webSocketServer } = await startWith({})
      const client = await Client.open(url, credential)
      if (message) client.send(message)
      while ((await client.text()) !== 'hello ada');
      const closed = deferred<unknown>()
      webSocketServer.close(closed.resolve)
      client.close()
      expect(await closed.promise).toBeUndefined()
    },
    3_000,
  )

  it.each([
    ['to accept', headers],
    ['to await', {}],
  ])('refuses with 503 whom the guard wants %s, once it is closed', async (_, presented) => {
    const { port, webSocketServer } = await startWith({})
    expect((await rawOpen(port, '/ws', presented)).head.status).toBe(101)
    webSocketServer.close()
    expect((await rawOpen(port, '/ws', presented)).head.status).toBe(503)
  })

  it('compresses for accepted sockets only', async () => {
    const { port } = await startWith({ perMessageDeflate: true })
    const extensions = { 'Sec-WebSocket-Extensions': 'permessage-deflate' }
    const negotiated = async (more: Record<string, string>) =>
      (await rawOpen(port, '/ws', { ...extensions, ...more })).head.headers.get('sec-websocket-extensions')
    expect(await negotiated({})).toBeUndefined()
    expect(await negotiated({ Origin: origin, Authorization: 'Bearer bad' })).toBeUndefined()
    expect(await negotiated(headers)).toBe('permessage-deflate')
  })

  it('has its limits hold for accepted sockets', async () => {
    const { url } = await startWith({ maxPayload: 100 })
    const client = await Client.open(url, { headers })
    expect(await client.text()).toBe('hello ada')
    client.send('x'.repeat(100))
    expect(await client.text()).toHaveLength(100)
    client.send('x'.repeat(101))
    expect((await client.closed).code).toBe(1009)
  })

  it('loses no message when it defers its events and the handler is asynchronous', async () => {
    const ready = deferred()
    const called = deferred()
    const { port } = await startWith({ allowSynchronousEvents: false }, async (socket, connection) => {
      called.resolve()
      await ready.promise
      echo(socket, connection)
    })
    const { client } = await rawOpen(port, '/ws')
    client.write(Buffer.concat([rawFrame(auth), rawFrame('a'), rawFrame('b'), rawFrame('c')]))
    await called.promise
    await rawOpen(port, '/ws')
    ready.resolve()
    await client.ping()
    expect(client.texts().slice(2)).toEqual(['a', 'b', 'c'])
  })
})

describe('guardServer: a WebSocketServer that others listen to', () => {
  /** A server without a handler, whose `connection` event is listened to. */
  async function startEmitting(listener: (socket: WebSocket, request: IncomingMessage) => void) {
    const { server, port } = await listen()
    const guard = guardOfAll()
    const webSocketServer = new WebSocketServer({ noServer: true })
    webSocketServer.on('connection', listener)
    guardServer(server, guard, { path: '/ws', webSocketServer })
    return { guard, port, url: `ws://127.0.0.1:${port}/ws` }
  }

  it.each([
    ['header', headers, ''],
    ['first message', {}, rawFrame(auth)],
  ])('tells of a socket accepted by %s, with its request, and loses no message', async (_, presented, message) => {
    const { port } = await startEmitting((socket, request) => {
      socket.on('message', (data) => socket.send(`${data} at ${request.url}`))
    })
    const client = await RawClient.connect(port)
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws?a', presented)), Buffer.from(message)]))
    client.write(Buffer.concat([rawFrame('x'), rawFrame('y')]))
    await client.until(() => client.texts().includes('y at /ws?a'))
    expect(client.texts().slice(-2)).toEqual(['x at /ws?a', 'y at /ws?a'])
  })

  it('tells of nobody who is not accepted', async () => {
    const told: unknown[] = []
    const { port } = await startEmitting((socket) => told.push(socket))
    expect((await rawOpen(port, '/ws')).head.status).toBe(101)
    expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
    const { client } = await rawOpen(port, '/ws', { Origin: origin, Authorization: 'Bearer bad' })
    expect((await client.closeFrame())?.code).toBe(4001)
    expect(told).toEqual([])
    expect((await rawOpen(port, '/ws', headers)).head.status).toBe(101)
    expect(told).toHaveLength(1)
  })

  it('ends the connection when who listens throws', async () => {
    const { url } = await startEmitting(() => {
      throw new Error('no')
    })
    expect((await (await Client.open(url, { headers })).closed).code).toBe(1011)
  })

  it('tells of nothing when there is a handler', async () => {
    const webSocketServer = new WebSocketServer({ noServer: true })
    webSocketServer.on('connection', () => expect.unreachable())
    const { url } = await startServer(guardOfAll(), echo, { webSocketServer })
    expect(await (await Client.open(url, { headers })).text()).toBe('hello ada')
  })

  it('or a handler must be given', async () => {
    const { server } = await listen()
    const options = { path: '/ws' } as { path: string; webSocketServer: WebSocketServer }
    expect(() => guardServer(server, guardOfAll(), options)).toThrow(/nobody takes the sockets/)
    expect(server.listenerCount('upgrade')).toBe(0)
  })
})

describe('connectionOf', () => {
  it('answers the connection that its guard has accepted, live or over', async () => {
    const handed = deferred<WebSocket>()
    const guard = guardOfAll()
    const { url } = await startServer(guard, (socket, connection) => {
      expect(connectionOf(guard, socket)).toBe(connection)
      handed.resolve(socket)
    })
    const client = await Client.open(url, { headers })
    const socket = await handed.promise
    const left = once(socket, 'close')
    await client.close()
    await left
    expect(guard.connections.size).toBe(0)
    expect(connectionOf(guard, socket).identity.id).toBe('ada')
    expect(() => connectionOf(guardOfAll(), socket)).toThrow(TypeError)
  })

  it('knows none of a socket that is not accepted', async () => {
    const guard = guardOfAll()
    const webSocketServer = new WebSocketServer({ noServer: true })
    const made = once(webSocketServer, 'headers')
    const sockets: WebSocket[] = []
    const { port } = await startServer(guard, echo, { webSocketServer })
    const { handleUpgrade } = webSocketServer
    webSocketServer.handleUpgrade = (request, socket, head, onOpen) =>
      handleUpgrade.call(webSocketServer, request, socket, head, (webSocket, from) => {
        sockets.push(webSocket)
        onOpen(webSocket, from)
      })
    const { client } = await rawOpen(port, '/ws')
    await made
    const [pending] = sockets
    expect(() => connectionOf(guard, pending!)).toThrow(TypeError)
    // Of what a library has hidden elsewhere there is nothing at all.
    for (const none of [{}, undefined, null]) {
      expect(() => connectionOf(guard, none as never)).toThrow('connectionOf: this guard has not accepted that socket')
    }
    client.write(rawFrame(auth))
    await client.textsUntil(2)
    expect(connectionOf(guard, pending!).method).toBe('message')
  })
})

describe('guardServer: its own WebSocketServer', () => {
  it('takes messages of 1 MiB at most, and does not compress', async () => {
    const { port, url } = await startServer(guardOfAll())
    const { head } = await rawOpen(port, '/ws', { ...headers, 'Sec-WebSocket-Extensions': 'permessage-deflate' })
    expect(head.headers.get('sec-websocket-extensions')).toBeUndefined()
    const client = await Client.open(url, { headers })
    expect(await client.text()).toBe('hello ada')
    client.send('x'.repeat(1_048_576))
    expect(await client.text()).toHaveLength(1_048_576)
    client.send('x'.repeat(1_048_577))
    expect((await client.closed).code).toBe(1009)
  })
})

describe('guardServer: a refused socket', () => {
  async function refuse(guard: Guard<Identity>, options?: Partial<GuardServerOptions>) {
    const started = await startServer(guard, echo, options)
    const client = await RawClient.connect(started.port)
    client.write(rawHandshake('/ws', { Authorization: 'Bearer bad' }))
    return { ...started, client }
  }

  it('reads the whole answer, although it goes on sending', async () => {
    const { client } = await refuse(guardOfAll())
    client.write(Buffer.alloc(200_000))
    const response = await client.toEnd()
    expect(response.status).toBe(401)
    expect(JSON.parse(Buffer.from(response.body, 'latin1').toString())).toMatchObject({ error: 'unauthenticated' })
  })

  it('is destroyed after a second when it does not end', async () => {
    const clock = testClock()
    const { client, idle } = await refuse(createGuard({ ...allMethods(), clock }))
    await client.toEnd()
    expect(clock.pending).toBe(1)
    clock.advance(1_000)
    await idle()
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer when it does', async () => {
    const clock = testClock()
    const { client, idle } = await refuse(createGuard({ ...allMethods(), clock }))
    await client.toEnd()
    client.socket.end()
    await idle()
    expect(clock.pending).toBe(0)
  })
})

describe('guardServer: a handler', () => {
  it('that is asynchronous is not flooded meanwhile', async () => {
    const ready = deferred()
    const { server, port } = await startServer(guardOfAll(), async (socket, connection) => {
      await ready.promise
      echo(socket, connection)
    })
    const connected = once(server, 'connection')
    const { client } = await rawOpen(port, '/ws', headers)
    const [socket] = (await connected) as [Socket]
    const messages = Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(60_000)}`)
    for (const message of messages) client.write(rawFrame(message))
    // By the time the server has answered somebody else, it has had the time to read all that it wants.
    for (let i = 0; i < 10; i++) await status(port, '/ws')
    expect(socket.bytesRead).toBeLessThan(400_000)
    ready.resolve()
    expect((await client.textsUntil(messages.length + 1)).slice(1)).toEqual(messages)
  })

  it('may pause its socket', async () => {
    const handed = deferred<WebSocket>()
    const seen: string[] = []
    const { port } = await startServer(guardOfAll(), (socket) => {
      socket.pause()
      socket.on('message', (data) => seen.push(String(data)))
      handed.resolve(socket)
    })
    const client = await RawClient.connect(port)
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', headers)), rawFrame('a')]))
    const socket = await handed.promise
    await status(port, '/ws')
    expect(socket.isPaused).toBe(true)
    expect(seen).toEqual([])
    socket.resume()
    await once(socket, 'message')
    expect(seen).toEqual(['a'])
  })

  it('may answer something that is no promise', async () => {
    const { url } = await startServer(guardOfAll(), ((socket: WebSocket) => {
      socket.send('fine')
      return socket
    }) as never)
    const client = await Client.open(url, { headers })
    expect(await client.text()).toBe('fine')
    expect((await client.close()).code).toBe(1005)
  })
})
