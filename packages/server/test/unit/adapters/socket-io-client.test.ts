import { once } from 'node:events'
import { createServer } from 'node:http'
import { outcomeOf } from '@sallyport/client/socket-io'
import { ConfigurationError, createGuard, header, UnavailableError } from '@sallyport/server'
import { connectionOf, guardSocketIo } from '@sallyport/server/socket-io'
import { guardServer } from '@sallyport/server/ws'
import { Server } from 'socket.io'
import { describe, expect, it, onTestFinished } from 'vitest'
import { credentialOf, verifyClaims } from '../../support/claims.js'
import { Client } from '../../support/client.js'
import { allMethods, origin } from '../../support/guard.js'
import { held } from '../../support/held.js'
import { nextEvent } from '../../support/live.js'
import { rawOpen } from '../../support/raw.js'
import { echo } from '../../support/server.js'
import { ask, clientOf, connect, nextOf, opened, refusal, settled, startSocketIo } from '../../support/socket-io.js'

const token = credentialOf()
const eve = credentialOf({ id: 'eve' })
const forbidden = { data: { code: 4003, reason: 'Forbidden' } }

describe('the namespaces of a client', () => {
  it('are one connection, and each is asked for with a credential of its own', async () => {
    const { url, guard, io, sockets, events } = await startSocketIo({
      guard: { connectionsPerIdentity: { max: 1, whenFull: 'refuse' } },
      before: (io) => void io.of('/before'),
    })
    io.of('/after')
    const { manager } = await connect(url, { auth: { token } })
    for (const namespace of ['/before', '/after']) {
      const joined = once(io.of(namespace), 'connection')
      await opened(clientOf(url, { manager, namespace, auth: { token } }).socket)
      const [socket] = await joined
      expect(connectionOf(guard, socket)).toBe(connectionOf(guard, sockets[0]!))
      await expect(opened(clientOf(url, { manager, namespace: `${namespace}?`, auth: {} }).socket)).rejects.toThrow()
    }
    expect(guard.connections.size).toBe(1)
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(1)
    expect(await refusal(url, { auth: { token } })).toMatchObject({ code: 4009 })
  })

  it.each([
    ['no credential', {}, 4001],
    ['a bad one', { token: 'bad' }, 4001],
    ['one of somebody else', { token: eve }, 4003],
    ['one that is no text', { token: 7 }, 1008],
    ['a ticket that is no text', { ticket: {} }, 1008],
    ['a ticket with half a character', { ticket: '\ud800' }, 1008],
    ['two', { token, ticket: 'x' }, 1008],
  ])('do not open to %s, and the others go on', async (_, auth, code) => {
    const { url, io } = await startSocketIo()
    const entered: unknown[] = []
    io.of('/other').on('connection', () => entered.push('other'))
    const { manager, socket } = await connect(url, { auth: { token } })
    const other = clientOf(url, { manager, namespace: '/other', auth })
    await expect(opened(other.socket)).rejects.toMatchObject({ data: { code } })
    expect(await socket.emitWithAck('say', 'on')).toBe('echo on')
    other.socket.auth = { token }
    await opened(other.socket)
    expect(entered).toEqual(['other'])
  })

  it('that a pattern makes are guarded too, before its own middleware', async () => {
    const users: string[] = []
    const { url, guard, io } = await startSocketIo({
      io: { cleanupEmptyChildNamespaces: true },
      before: (io) =>
        io.of(/^\/room-\d$/).use((socket, next) => {
          users.push(connectionOf(guard, socket).identity.id)
          next()
        }),
    })
    expect(await refusal(url, { namespace: '/room-1', auth: { token: 'bad' } })).toMatchObject({ code: 4001 })
    expect([users, [...io._nsps.keys()]]).toEqual([[], ['/']])
    await connect(url, { namespace: '/room-1', auth: { token } })
    expect([users, [...io._nsps.keys()]]).toEqual([['ada'], ['/', '/room-1']])
  })

  it('are entered by whom the application lets, which is asked about each', async () => {
    const asked: string[] = []
    const { url, io, reasons } = await startSocketIo({
      options: {
        admit({ id }, { params, target }) {
          asked.push(`${id} ${target.split('?')[0]} ${params.namespace}`)
          return params.namespace !== '/admin'
        },
      },
    })
    io.of('/admin')
    const { manager, socket } = clientOf(url, { auth: { token } })
    const admin = clientOf(url, { manager, namespace: '/admin', auth: { token } })
    await expect(opened(admin.socket)).rejects.toMatchObject(forbidden)
    await opened(socket)
    await expect(opened(admin.socket)).rejects.toMatchObject(forbidden)
    expect(asked).toEqual(['ada /socket.io/ /admin', 'ada /socket.io/ /', 'ada /socket.io/ /admin'])
    expect(reasons()).toEqual(['not-admitted', 'not-admitted'])
  })

  it('keep from the application what the credential was, and nothing else', async () => {
    const { url, sockets, guard } = await startSocketIo()
    await connect(url, {
      auth: { token, room: 'a' },
      query: { token: 'x', lang: 'de' },
      transports: ['websocket'],
    }).catch(() => {})
    await connect(url, { auth: { token, room: 'a' }, query: { lang: 'de' }, transports: ['websocket'] })
    expect(sockets.map(({ handshake }) => handshake.auth)).toEqual([{ room: 'a' }])
    expect(String(connectionOf(guard, sockets[0]!).query)).toBe('lang=de&EIO=4&transport=websocket')
  })
})

describe('a renewal', () => {
  const life = (now: number, seconds: number, claims = {}) =>
    credentialOf({ issuedAt: now, expiresAt: now + seconds * 1_000, session: 's1', ...claims })

  it('by an event says for how long, and nobody else hears of it', async () => {
    const { url, clock, sockets, guard } = await startSocketIo()
    const { socket, heard } = await connect(url, { auth: { token: life(clock.now(), 20) } })
    const any: unknown[] = []
    sockets[0]!.onAny((event) => any.push(event))
    expect(await socket.emitWithAck('sallyport:renew', { token: life(clock.now(), 60) })).toEqual({ expiresIn: 60 })
    await settled(sockets[0]!, 'websocket')
    const told = nextOf(socket, 'sallyport:expiring')
    clock.advance(40_000)
    expect((await told)[0]).toEqual({ expiresIn: expect.any(Number) })
    expect(heard.map(([event]) => event)).toEqual(['sallyport:expiring'])
    expect([any, guard.connections.size]).toEqual([[], 1])
  })

  it('by an event with a ticket, whatever the client came by', async () => {
    const { url, clock, sockets, guard } = await startSocketIo()
    const headers = { Authorization: `Bearer ${life(clock.now(), 60)}` }
    const { socket } = await connect(url, { extraHeaders: { Authorization: `Bearer ${life(clock.now(), 20)}` } })
    const response = await fetch(`${url}/socket.io/ticket`, { method: 'POST', headers })
    const { ticket } = (await response.json()) as { ticket: string }
    expect(await socket.emitWithAck('sallyport:renew', { ticket })).toEqual({ expiresIn: 60 })
    expect(connectionOf(guard, sockets[0]!).expiresAt).toBe(clock.now() + 60_000)
  })

  it.each([
    ['a bad token', { token: 'bad' }, 4001],
    ['no token', {}, 4001],
    ['nothing', undefined, 4001],
    ['what is no token', { token: 1 }, 1008],
  ])('by %s changes nothing', async (_, auth, code) => {
    const { url, guard } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token } })
    expect(await socket.emitWithAck('sallyport:renew', auth)).toMatchObject({ code })
    expect(await socket.emitWithAck('say', 'on')).toBe('echo on')
    expect(guard.connections.size).toBe(1)
  })

  it('is verified one at a time', async () => {
    const slow = held(verifyClaims)
    const { url } = await startSocketIo({
      guard: {
        accept: allMethods((credential, context) =>
          credential === token ? verifyClaims(credential, context) : slow.verify(credential, context),
        ).accept,
      },
    })
    const { socket } = await connect(url, { auth: { token } })
    const renewed = socket.emitWithAck('sallyport:renew', { token: credentialOf({ token: 'newer' }) })
    await slow.asked
    socket.emit('sallyport:renew', { token: credentialOf({ token: 'newest' }) })
    await socket.emitWithAck('say', 'heard')
    slow.release()
    await renewed
    expect(slow.calls).toBe(1)
  })

  it('by a token of somebody else ends it', async () => {
    const { url, sockets } = await startSocketIo()
    const { socket, heard } = await connect(url, { auth: { token } })
    await settled(sockets[0]!, 'websocket')
    const disconnected = nextOf(socket, 'disconnect')
    socket.emit('sallyport:renew', { token: eve })
    expect((await disconnected)[0]).toBe('io server disconnect')
    expect(heard).toEqual([['sallyport:end', { code: 4003, reason: 'Forbidden' }]])
  })

  it('over HTTP extends all connections of the session', async () => {
    const { url, clock, sockets, guard } = await startSocketIo()
    await connect(url, { auth: { token: life(clock.now(), 20) } })
    const headers = { Authorization: `Bearer ${life(clock.now(), 60)}` }
    const response = await fetch(`${url}/socket.io/renew`, { method: 'POST', headers })
    expect([response.status, await response.json()]).toEqual([200, { expiresIn: 60 }])
    expect(connectionOf(guard, sockets[0]!).expiresAt).toBe(clock.now() + 60_000)
  })
})

describe('what limits, and what is down', () => {
  it('is told with the seconds to wait', async () => {
    const { url, guard } = await startSocketIo({
      guard: { limits: { failedAttempts: 1, verificationBudget: 0 }, verifyTimeout: 5_000 },
    })
    expect(await refusal(url, { auth: { token: 'bad' } })).toMatchObject({ code: 4001 })
    expect(await refusal(url, { auth: { token: 'worse' } })).toEqual({
      code: 4029,
      reason: 'Too many attempts',
      retryAfter: 10,
    })
    expect(guard.pending).toBeLessThanOrEqual(2)
  })

  it('a verifier that cannot answer is no bad credential', async () => {
    const accept = [header({ verify: () => Promise.reject(new UnavailableError('down')) })]
    const guard = createGuard({ accept })
    const server = createServer()
    const io = new Server(server)
    guardSocketIo(io, guard)
    server.listen(0)
    onTestFinished(() => void io.close())
    const { port } = server.address() as { port: number }
    expect(await refusal(`http://127.0.0.1:${port}`, { extraHeaders: { Authorization: 'Bearer x' } })).toEqual({
      code: 1013,
      reason: 'Temporarily unavailable',
      retryAfter: 5,
    })
  })

  it('a newer client takes the place of an older one, which does not come again', async () => {
    const { url, sockets, guard } = await startSocketIo({
      guard: { connectionsPerIdentity: { max: 1, whenFull: 'replace' } },
    })
    const { socket } = await connect(url, { auth: { token }, reconnection: true })
    await settled(sockets[0]!, 'websocket')
    const ended = nextOf(socket, 'sallyport:end')
    await connect(url, { auth: { token } })
    expect(await ended).toEqual([{ code: 4009, reason: 'Replaced' }])
    expect(guard.connections.size).toBe(1)
  })

  it('a drain tells clients to come again, and takes none', async () => {
    const { url, sockets, guard, clock, port } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token }, transports: ['websocket'] })
    await settled(sockets[0]!, 'websocket')
    const ended = Promise.all([nextOf(socket, 'sallyport:end'), nextOf(socket, 'disconnect')])
    const drained = guard.drain()
    clock.advance(10_000)
    const [[end], [reason]] = await ended
    expect([end, reason]).toEqual([{ code: 1012, reason: 'Service restart' }, 'transport close'])
    await drained
    const answer = await ask(port, '/socket.io/?EIO=4&transport=polling')
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
  })
})

describe('what a client makes of it with outcomeOf', () => {
  it.each([
    ['no credential', {}, { kind: 'unauthenticated', action: 'retry-once', code: 4001 }],
    ['what is no text', { token: 1 }, { kind: 'misconfigured', action: 'stop', code: 1008 }],
  ])('of %s', async (_, auth, outcome) => {
    const { url } = await startSocketIo()
    const error: unknown = await connect(url, { auth }).catch((error) => error)
    expect(outcomeOf(error)).toEqual({ ...outcome, cause: error })
  })

  it('of a page that may not come at all, while it polls', async () => {
    const { url } = await startSocketIo()
    const options = { auth: { token }, extraHeaders: { Origin: 'https://evil.example' } }
    const error: unknown = await connect(url, { ...options, transports: ['polling'] }).catch((error) => error)
    expect(outcomeOf(error)).toEqual({ kind: 'forbidden', action: 'stop', status: 403, cause: error })
    const hidden: unknown = await connect(url, { ...options, transports: ['websocket'] }).catch((error) => error)
    expect(outcomeOf(hidden)).toMatchObject({ kind: 'network', ambiguous: true })
  })

  it('of its end', async () => {
    const { url, sockets, guard } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token }, transports: ['websocket'] })
    await settled(sockets[0]!, 'websocket')
    const told = nextOf(socket, 'sallyport:end')
    await guard.revoke('all')
    expect(outcomeOf((await told)[0])).toEqual({ kind: 'revoked', action: 'stop', code: 4010 })
  })
})

describe('beside others on the same server', () => {
  it.each(['before', 'after'])('guardServer, %s it, keeps its own path', async (order) => {
    const server = createServer()
    const guard = createGuard({ accept: [header({ verify: verifyClaims })] })
    if (order === 'before') guardServer(server, guard, { path: '/ws' }, echo)
    const { url, port, sockets } = await startSocketIo({ server })
    if (order === 'after') guardServer(server, guard, { path: '/ws' }, echo)
    const { socket } = await connect(url, { auth: { token } })
    await settled(sockets[0]!, 'websocket')
    expect(await socket.emitWithAck('say', 'a')).toBe('echo a')
    const client = await Client.open(`ws://127.0.0.1:${port}/ws`, { headers: { Authorization: `Bearer ${token}` } })
    expect(await client.text()).toBe('hello ada')
    expect((await rawOpen(port, '/ws', {})).head.status).toBe(401)
    expect(await refusal(url, { auth: {} })).toMatchObject({ code: 4001 })
  })

  it('who answers every upgrade answers none of its own', async () => {
    const server = createServer()
    server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'))
    const { url, sockets } = await startSocketIo({ server })
    await connect(url, { auth: { token }, transports: ['websocket'] })
    expect(sockets).toHaveLength(1)
  })

  it('its path is one, and what is behind it is of the routes', async () => {
    const { port, reasons } = await startSocketIo()
    expect((await ask(port, '/socket.io/x?EIO=4&transport=polling')).status).toBe(404)
    expect((await rawOpen(port, '/socket.io/x?EIO=4&transport=websocket')).head.status).toBe(404)
    expect((await ask(port, '/socket.io/ticket', { method: 'POST' })).status).toBe(401)
    expect((await ask(port, '/socket.io/socket.io.js')).status).toBe(200)
    expect((await ask(port, '/elsewhere')).status).toBe(404)
    expect(reasons()).toEqual(['path-unknown', 'path-unknown', 'credential-absent'])
  })

  it('a path of its own has the routes behind it', async () => {
    const { url, sockets, port } = await startSocketIo({ io: { path: '/ws', addTrailingSlash: false } })
    await connect(url, { auth: { token }, path: '/ws', addTrailingSlash: false })
    await settled(sockets[0]!, 'websocket')
    expect(
      (await ask(port, '/ws/ticket', { method: 'POST', headers: { Authorization: `Bearer ${token}` } })).status,
    ).toBe(201)
  })
})

describe('pages', () => {
  it('of an allowed origin may read what is refused, where the server lets them', async () => {
    const { port } = await startSocketIo({ io: { cors: { origin, credentials: true } } })
    const path = '/socket.io/?EIO=4&transport=polling'
    const allowed = await ask(port, path, { headers: { Origin: origin } })
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([200, origin])
    const { sid } = JSON.parse(allowed.text.slice(1)) as { sid: string }
    const refused = await ask(port, `${path}&sid=${sid}`, { headers: { Origin: origin, Cookie: 'session=x' } })
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, origin])
    expect((await ask(port, path, { headers: { Origin: 'https://evil.example' } })).status).toBe(403)
  })

  it('get no credential for a subprotocol', async () => {
    const { port } = await startSocketIo()
    const { head } = await rawOpen(port, '/socket.io/?EIO=4&transport=websocket', {
      'Sec-WebSocket-Protocol': `sallyport.bearer.${Buffer.from(token).toString('base64url')}, app.v1`,
    })
    expect([head.status, head.headers.get('sec-websocket-protocol')]).toEqual([101, undefined])
  })
})

describe('guardSocketIo', () => {
  const guard = createGuard({ accept: [header({ verify: verifyClaims })] })
  const withMain = (io: Server, changes: object) => {
    Object.assign(io.of('/'), changes)
    return io
  }

  it.each<[string, () => Server, object, RegExp]>([
    [
      'attached to no server',
      () => new Server(),
      {},
      /attached to no Node.js server; make it with new Server\(server\)/,
    ],
    ['for clients of version 2', () => new Server(createServer(), { allowEIO3: true }), {}, /allowEIO3/],
    ['of another version', () => Object.assign(new Server(createServer()), { _nsps: {} }), {}, /version of Socket.IO/],
    ['with another namespace', () => withMain(new Server(createServer()), { _fns: undefined }), {}, /of Socket.IO/],
    ['with no time to connect', () => new Server(createServer()), { connectTimeout: Number.NaN }, /connectTimeout/],
  ])('refuses a server %s', (_, make, options, message) => {
    const io = make()
    expect(() => guardSocketIo(io, guard, options)).toThrow(message)
    expect(() => guardSocketIo(io, guard, options)).toThrow(ConfigurationError)
  })

  it('refuses a second guard', () => {
    const io = new Server(createServer())
    guardSocketIo(io, guard)
    expect(() => guardSocketIo(io, guard)).toThrow('/socket.io/ is already guarded')
  })

  it('refuses WebTransport, which has no request to look at', async () => {
    const { io } = await startSocketIo({ io: { transports: ['polling', 'websocket', 'webtransport'] } })
    let closed = 0
    await io.engine.onWebTransportSession({ close: () => closed++ })
    expect(closed).toBe(1)
  })

  it.each(['_onpacket', 'notifyOutgoingListeners', 'fns'])('lets nobody in who is another inside: %s', async (name) => {
    const { url, io, seen } = await startSocketIo()
    io.use((socket, next) => next(void Object.assign(socket, { [name]: undefined })))
    const { socket } = clientOf(url, { auth: { token }, transports: ['websocket'] })
    const disconnected = nextOf(socket, 'disconnect')
    socket.connect()
    await disconnected
    expect(seen).toEqual([])
  })

  it('takes all places back when a client goes', async () => {
    const { url, guard, events } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token }, transports: ['websocket'] })
    const closed = nextEvent(guard, 'closed')
    socket.disconnect()
    await closed
    expect([guard.connections.size, guard.pending]).toEqual([0, 0])
    expect(events.map(({ type }) => type)).toEqual(['accepted', 'closed'])
  })

  it('leaves the heartbeat to engine.io', async () => {
    const { url, guard, clock, sockets } = await startSocketIo({ guard: { life: { heartbeat: 1_000 } } })
    const { socket } = await connect(url, { auth: { token } })
    await settled(sockets[0]!, 'websocket')
    clock.advance(60_000)
    expect(guard.connections.size).toBe(1)
    expect(await socket.emitWithAck('say', 'alive')).toBe('echo alive')
  })

  it('knows no connection of a socket that it has not accepted', async () => {
    const { url, sockets } = await startSocketIo()
    await connect(url, { auth: { token } })
    expect(() => connectionOf(guard, sockets[0]!)).toThrow(TypeError)
  })
})
