import { once } from 'node:events'
import { connectionOf } from '@sallyport/server/socket-io'
import type { Server, Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { credentialOf } from '../support/claims.js'
import { Client } from '../support/client.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { nextEvent } from '../support/live.js'
import { RawClient, rawHandshake } from '../support/raw.js'
import {
  connect,
  nextOf,
  opened,
  RawPolling,
  refusal,
  type SocketIoOptions,
  settled,
  startSocketIo,
} from '../support/socket-io.js'

const token = credentialOf()
const say = (text: string) => `42${JSON.stringify(['say', text])}`

/** A client over a bare WebSocket, which does what it wants. */
async function hostile(options: SocketIoOptions = {}, credential = token) {
  const server = await startSocketIo(options)
  const client = await Client.open(`ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`)
  expect(await client.text()).toMatch(/^0\{/)
  client.send(`40${JSON.stringify({ token: credential })}`)
  let answer = await client.text()
  // A slow machine is pinged meanwhile.
  while (answer === '2') answer = await client.text()
  expect(answer).toMatch(/^40\{"sid":/)
  return { ...server, client }
}

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn()
}

describe('after a revocation', () => {
  it.each(['onAny', 'on'] as const)(
    'G46 nothing more is heard of who goes on talking, not even what came with what it was for: %s',
    async (listens) => {
      const { client, guard, sockets, seen } = await hostile()
      const any: unknown[] = []
      const revoke = (event: unknown) => void (event === 'log out' && guard.revoke({ user: 'ada' }))
      if (listens === 'onAny') sockets[0]!.onAny(revoke)
      else sockets[0]!.on('log out', () => revoke('log out'))
      sockets[0]!.onAny((event) => any.push(event))
      client.send(say('before'))
      client.send('42["log out"]')
      client.send(say('after'))
      client.send('421["say","after"]')
      const texts = [await client.text(), await client.text()]
      // By then the echo of the first may be too late.
      if (listens === 'on') expect(texts.shift()).toBe('42["said","echo before"]')
      texts.push(await client.text().catch(() => 'closed'))
      expect(texts.slice(0, 2)).toEqual(['42["sallyport:end",{"code":4010,"reason":"Revoked"}]', '41'])
      await client.closed
      expect(client.waiting).toBe(0)
      if (listens === 'on') expect(seen).toEqual(['before'])
      else expect([seen, any]).toEqual([[], ['say', 'log out']])
    },
  )

  it('G46 nothing is heard of what came behind what has failed', async () => {
    const { port, seen, sockets, guard } = await startSocketIo()
    const client = await RawPolling.open(port)
    await client.post(`40${JSON.stringify({ token })}`)
    expect((await client.poll()).text).toMatch(/^40/)
    sockets[0]!.on('break', () => {
      throw new Error('boom')
    })
    await client.post(`42["break"]\x1e${say('after')}`)
    expect((await client.poll()).text).toBe('42["sallyport:end",{"code":1011,"reason":"Internal error"}]')
    expect([seen, guard.connections.size]).toEqual([[], 0])
  })

  it('G46 nothing of what the application says of it is told to it', async () => {
    const { client, guard, io, sockets } = await hostile()
    await sockets[0]!.join('room')
    sockets[0]!.on('disconnecting', () => io.to([...sockets[0]!.rooms]).emit('somebody leaves'))
    sockets[0]!.on('disconnect', () => io.emit('somebody has left'))
    await guard.revoke({ user: 'ada' })
    sockets[0]!.emit('late')
    sockets[0]!.conn.send('4late')
    expect([await client.text(), await client.text()]).toEqual([
      '42["sallyport:end",{"code":4010,"reason":"Revoked"}]',
      '41',
    ])
    await client.closed
    expect(client.waiting).toBe(0)
  })

  it('G46 a socket that does not answer the Close is ended after a second', async () => {
    const { client, guard, clock, events } = await hostile()
    client.socket.pause()
    await guard.revoke({ user: 'ada' })
    expect(events.map(({ type }) => type)).toEqual(['accepted', 'ended'])
    const closed = nextEvent(guard, 'closed')
    clock.advance(1_000)
    await closed
  })
})

it.each(['websocket', 'polling'])('G46 a peer over %s that reads nothing holds 16 MiB at most', async (transport) => {
  const { client, io, events, guard } = transport === 'websocket' ? await hostile() : await notPolling()
  client?.socket.pause()
  for (let i = 0; i < 15; i++) io.emit('much', 'x'.repeat(1_048_576))
  expect(guard.connections.size).toBe(1)
  for (let i = 0; i < 64; i++) io.emit('much', 'x'.repeat(1_048_576))
  expect(guard.connections.size).toBe(0)
  expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ code: 'limited' }])
})

/** A client that is in, and polls no more. */
async function notPolling() {
  const server = await startSocketIo()
  const raw = await RawPolling.open(server.port)
  await raw.post(`40${JSON.stringify({ token })}`)
  expect((await raw.poll()).text).toMatch(/^40/)
  return { ...server, client: undefined }
}

it('G46 a peer that answers no ping of engine.io gives its place back at once', async () => {
  const { client, guard } = await hostile({ io: { pingInterval: 20, pingTimeout: 20 } })
  client.socket.pause()
  await nextEvent(guard, 'closed')
  expect(guard.connections.size).toBe(0)
})

describe('after the credential has expired', () => {
  const ending = (at: number) => credentialOf({ issuedAt: at - 10_000, expiresAt: at })

  it('G46 what waits for a poll is not given to it', async () => {
    const { port, clock, io, guard } = await startSocketIo()
    const client = await RawPolling.open(port, { Cookie: `session=${ending(clock.now() + 10_000)}`, Origin: origin })
    await client.post('40')
    expect((await client.poll()).text).toMatch(/^40/)
    io.emit('secret')
    clock.advance(15_000)
    expect(guard.connections.size).toBe(0)
    expect((await client.poll()).status).toBe(400)
  })

  it('G46 what waits for a poll is not given to it, though the timer of a suspended process is later', async () => {
    let late = 0
    const { port, clock, io, guard } = await startSocketIo()
    const { now } = clock
    Object.assign(clock, { now: () => now() + late })
    const client = await RawPolling.open(port, { Cookie: `session=${ending(clock.now() + 10_000)}`, Origin: origin })
    await client.post('40')
    expect((await client.poll()).text).toMatch(/^40/)
    io.emit('secret')
    late = 15_000
    expect((await client.poll()).status).toBe(400)
    expect(guard.connections.size).toBe(0)
  })

  it.each<[string, (server: { io: Server; sockets: Socket[] }) => unknown]>([
    ['to all', ({ io }) => io.emit('secret')],
    ['to it', ({ sockets }) => sockets[0]!.emit('secret')],
    ['by the connection below', ({ sockets }) => sockets[0]!.conn.send('2["secret"]')],
  ])('G46 a packet that is there before the timer of a suspended process does not cross: %s', async (_, emit) => {
    let late = 0
    const { client, clock, guard, io, sockets, seen } = await hostile({}, ending(Date.UTC(2026, 0, 1, 0, 0, 10)))
    const { now } = clock
    Object.assign(clock, { now: () => now() + late })
    client.send(say('in time'))
    expect(await client.text()).toBe('42["said","echo in time"]')
    late = 15_000
    emit({ io, sockets })
    client.send(say('late'))
    expect(await client.text()).toMatch(/^42\["sallyport:end",\{"code":4019/)
    await client.closed
    expect([seen, client.waiting, guard.connections.size]).toEqual([['in time'], 0, 0])
  })
})

describe('a recovery', () => {
  const recovery = { io: { connectionStateRecovery: {} } }

  /** A client that has lost its transport, and what was sent to it meanwhile. */
  async function lost(auth: { token: string }, options: SocketIoOptions = recovery) {
    const server = await startSocketIo(options)
    const client = await connect(server.url, { auth, transports: ['websocket'] })
    const { socket } = client
    server.sockets[0]!.data.owner = 'ada'
    await server.sockets[0]!.join('room')
    server.io.emit('first')
    await nextOf(socket, 'first')
    const gone = once(server.sockets[0]!, 'disconnect')
    socket.io.engine.close()
    await gone
    server.io.to('room').emit('missed')
    client.heard.length = 0
    return { ...server, ...client, auth }
  }

  it('G47 gives what was missed to who it was for', async () => {
    const { socket, heard, sockets, guard } = await lost({ token })
    await opened(socket)
    expect([socket.recovered, sockets[1]!.data.owner, connectionOf(guard, sockets[1]!).identity.id]).toEqual([
      true,
      'ada',
      'ada',
    ])
    expect(heard.map(([event]) => event)).toEqual(['missed'])
  })

  it('G47 does not skip the guard', async () => {
    const { socket, heard, sockets, auth, guard } = await lost({ token })
    await guard.revoke({ user: 'ada' })
    auth.token = credentialOf({ issuedAt: 0 })
    await expect(opened(socket)).rejects.toMatchObject({ data: { code: 4001 } })
    expect([heard, sockets.length]).toEqual([[], 1])
  })

  it('G47 gives nothing to another user of the same page', async () => {
    const { socket, heard, sockets, auth, guard } = await lost({ token })
    auth.token = credentialOf({ id: 'eve' })
    await opened(socket)
    expect([socket.recovered, sockets[1]!.data.owner, connectionOf(guard, sockets[1]!).identity.id]).toEqual([
      false,
      undefined,
      'eve',
    ])
    expect([heard, [...sockets[1]!.rooms]]).toEqual([[], [socket.id]])
  })

  it('G81 that the application fails ends its client alone', async () => {
    const { socket, io, events, url } = await lost({ token })
    const fail = () => {
      throw new Error('boom')
    }
    io.of('/').adapter.on('join-room', fail)
    await expect(opened(socket)).rejects.toMatchObject({ data: { code: 1011 } })
    expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ code: 'internal' }])
    io.of('/').adapter.off('join-room', fail)
    await connect(url, { auth: { token } })
  })

  it('G47 gives nothing to another user, as Socket.IO does by itself', async () => {
    const { socket, heard, sockets } = await lost({ token }, { ...recovery, unguarded: true })
    await opened(socket)
    expect([socket.recovered, sockets[1]!.data.owner]).toEqual([true, 'ada'])
    expect(heard.map(([event]) => event)).toEqual(['missed'])
  })
})

describe('what the application throws', () => {
  const boom = new Error('boom')
  const throwing: Record<string, (io: Server) => void> = {
    'a connection listener': (io) =>
      io.on('connection', () => {
        throw boom
      }),
    'a connection listener, later': (io) => io.on('connection', async () => Promise.reject(boom)),
  }

  it.each(Object.entries(throwing))('G48 ends its client alone: %s', async (_, before) => {
    const { url, events, guard } = await startSocketIo({ before })
    await connect(url, { auth: { token }, transports: ['websocket'] }).catch(() => {})
    const ended = () => events.find(({ type }) => type === 'ended')
    if (!ended())
      await new Promise<void>((resolve) => void guard.subscribe(({ type }) => type === 'ended' && resolve()))
    expect(ended()).toMatchObject({ code: 'internal', error: boom })
  })

  const listeners: Record<string, () => unknown> = {
    'a listener': () => {
      throw boom
    },
    'a listener, later': async () => Promise.reject(boom),
  }

  it.each(Object.entries(listeners))('G48 ends its client alone: %s', async (_, listener) => {
    const { url, sockets, events, io } = await startSocketIo()
    const { socket, heard } = await connect(url, { auth: { token }, transports: ['websocket'] })
    const other = await connect(url, { auth: { token: credentialOf({ id: 'eve' }) } })
    await settled(sockets[0]!, 'websocket')
    sockets[0]!.on('break', listener)
    const disconnected = nextOf(socket, 'disconnect')
    socket.emit('break')
    await disconnected
    expect(heard).toEqual([['sallyport:end', { code: 1011, reason: 'Internal error' }]])
    expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ code: 'internal', error: boom }])
    expect(await other.socket.emitWithAck('say', 'still here')).toBe('echo still here')
    expect(io.engine.clientsCount).toBe(1)
  })

  type Middleware = Parameters<Server['use']>[0]
  const middlewares: Record<string, Middleware[]> = {
    'that throws': [
      () => {
        throw boom
      },
    ],
    'that rejects': [async () => Promise.reject(boom)],
    'that rejects later': [async () => nextTurn().then(() => Promise.reject(boom))],
    'that throws behind an async one': [
      async (_, next) => next(),
      () => {
        throw boom
      },
    ],
    'that throws behind a late one': [
      (_, next) => void setImmediate(next),
      () => {
        throw boom
      },
    ],
  }

  it.each(Object.entries(middlewares))('G81 ends its client alone: a middleware %s', async (_, middlewares) => {
    const { url, events, io } = await startSocketIo({
      before: (io) => {
        for (const middleware of middlewares)
          io.use((socket, next) => (socket.handshake.auth.fails ? middleware(socket, next) : next()))
      },
    })
    const other = await connect(url, { auth: { token: credentialOf({ id: 'eve' }) } })
    expect(await refusal(url, { auth: { token, fails: true } })).toEqual({ code: 1011, reason: 'Internal error' })
    expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ code: 'internal', error: boom }])
    expect(await other.socket.emitWithAck('say', 'still here')).toBe('echo still here')
    expect(Reflect.get(io.of('/'), '_preConnectSockets')).toHaveProperty('size', 0)
  })

  /** What fails at `break` alone, at once or later. */
  const failing: Record<string, (socket: Socket, fail: () => unknown) => unknown> = {
    'a middleware of a socket': (socket, fail) => socket.use(([event], next) => (event === 'break' ? fail() : next())),
    'a middleware of a socket behind an async one': (socket, fail) =>
      socket.use(async (_, next) => next()).use(([event], next) => (event === 'break' ? fail() : next())),
    onAny: (socket, fail) => socket.onAny((event) => event === 'break' && fail()),
    prependAny: (socket, fail) => socket.prependAny((event) => event === 'break' && fail()),
    onAnyOutgoing: (socket, fail) => socket.onAnyOutgoing((event) => event === 'news' && fail()),
    prependAnyOutgoing: (socket, fail) => socket.prependAnyOutgoing((event) => event === 'news' && fail()),
    'an acknowledgement': (socket, fail) => socket.on('break', () => socket.emit('question', fail)),
    'an acknowledgement that never comes': (socket, fail) =>
      socket.on('break', () => socket.timeout(1).emit('unanswered', fail)),
  }
  const ways: Record<string, () => unknown> = {
    'at once': () => {
      throw boom
    },
    later: async () => Promise.reject(boom),
  }
  const cases = Object.entries(failing).flatMap(([name, set]) =>
    Object.entries(ways).map(([way, fail]) => ({ name: `${name}, ${way}`, set, fail })),
  )

  it.each(cases)('G81 ends its client alone: $name', async ({ set, fail }) => {
    const { url, io, sockets, events } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token }, transports: ['websocket'] })
    const other = await connect(url, { auth: { token: credentialOf({ id: 'eve' }) } })
    set(sockets[0]!, fail)
    sockets[0]!.on('break', () => io.emit('news'))
    socket.on('question', (answer: () => void) => answer())
    expect(await socket.emitWithAck('say', 'control')).toBe('echo control')
    const ended = nextOf(socket, 'sallyport:end')
    socket.emit('break')
    expect(await ended).toEqual([{ code: 1011, reason: 'Internal error' }])
    expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ code: 'internal', error: boom }])
    expect(await other.socket.emitWithAck('say', 'still here')).toBe('echo still here')
    if (set === failing.onAnyOutgoing) expect(other.heard).toEqual([['news']])
  })

  it('G81 no middleware hears of an event at which one has failed that listens to any', async () => {
    const { url, sockets } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token } })
    const asked: unknown[] = []
    sockets[0]!.use(([event], next) => next(void asked.push(event)))
    sockets[0]!.onAny((event) => {
      if (event === 'break') throw boom
    })
    expect(await socket.emitWithAck('say', 'control')).toBe('echo control')
    const ended = nextOf(socket, 'sallyport:end')
    socket.emit('break')
    await ended
    expect(asked).toEqual(['say'])
  })

  it('G81 ends its client alone: a middleware that rejects once it has let in', async () => {
    const { promise, reject } = deferred<void>()
    const { url, events } = await startSocketIo({
      before: (io) =>
        io.use((socket, next) => {
          next()
          return socket.handshake.auth.fails ? promise : undefined
        }),
    })
    const other = await connect(url, { auth: { token: credentialOf({ id: 'eve' }) } })
    const { socket } = await connect(url, { auth: { token, fails: true }, transports: ['websocket'] })
    expect(await socket.emitWithAck('say', 'control')).toBe('echo control')
    const ended = nextOf(socket, 'sallyport:end')
    reject(boom)
    expect(await ended).toEqual([{ code: 1011, reason: 'Internal error' }])
    expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ code: 'internal', error: boom }])
    expect(await other.socket.emitWithAck('say', 'still here')).toBe('echo still here')
  })

  it('G48 when a client has left is told of, and ends nobody', async () => {
    const { url, sockets, events, guard } = await startSocketIo()
    const { socket } = await connect(url, { auth: { token } })
    sockets[0]!.on('disconnect', () => {
      throw boom
    })
    const told = nextEvent(guard, 'refused')
    socket.io.engine.close()
    await told
    expect(events).toContainEqual(expect.objectContaining({ type: 'refused', reason: 'internal-error', error: boom }))
  })
})

it('G49 a peer that resets while its origin is asked about ends no process', async () => {
  const asked = deferred()
  const answer = deferred<boolean>()
  const origins = () => {
    asked.resolve()
    return answer.promise
  }
  const { port, guard, url } = await startSocketIo({ guard: { origins } })
  const client = await RawClient.connect(port)
  client.write(rawHandshake('/socket.io/?EIO=4&transport=websocket', { Origin: origin }))
  await asked.promise
  expect(guard.pending).toBe(1)
  client.socket.resetAndDestroy()
  await until(() => guard.pending === 0)
  answer.resolve(true)
  await connect(url, { auth: { token }, transports: ['websocket'] })
})
