import { once } from 'node:events'
import { createGuard, firstMessage, header, query, ticket } from '@sallyport/server'
import { RefusedError, testClock, testNodes, testServer } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { WireEnd } from '../../../src/testing/wire.js'
import { nextTurn } from '../../support/deferred.js'
import { origin } from '../../support/guard.js'
import { authFrame, credentialOf, live, nextEvent, sendAuth, verifyClaims } from '../../support/live.js'

const authorization = (claims = {}) => ({ Authorization: `Bearer ${credentialOf(claims)}` })

describe('testServer', () => {
  it('gives every client an address of its own, and the one that it asks for', async () => {
    const { server, guard } = live()
    for (let i = 0; i < 20; i++) await server.connect({ headers: authorization() })
    await server.connect({ headers: authorization(), address: '192.0.2.7' })
    const addresses = [...guard.connections].map(({ address }) => address)
    // Not even of one /64.
    expect(new Set(addresses.map((address) => address.split(':').slice(0, 4).join())).size).toBe(21)
    expect(addresses.at(-1)).toBe('192.0.2.7')
  })

  it('sends what the client is told to send', async () => {
    const { server, guard } = live()
    const client = await server.connect({
      query: `token=${credentialOf()}&room=1`,
      origin,
      protocols: ['app.v1'],
      headers: { 'X-Anything': 'else' },
    })
    expect(client.connection).toMatchObject({ method: 'query', origin, protocol: 'app.v1', path: '/ws' })
    expect(client.connection?.query.toString()).toBe('room=1')
    expect(client.socket.protocol).toBe('app.v1')
    expect(guard.connections.get(client.connection!.id)).toBe(client.connection)
  })

  it('guards the path that it is told, and serves its routes', async () => {
    const clock = testClock()
    const guard = createGuard({ clock, accept: [ticket(), header({ verify: verifyClaims })] })
    const server = testServer(guard, (socket) => socket.send('hello'), { clock, path: '/live' })
    const response = await server.fetch('/live/ticket', { method: 'POST', headers: authorization() })
    expect(response.status).toBe(201)
    const { ticket: issued } = (await response.json()) as { ticket: string }
    const client = await server.connect({ query: `ticket=${issued}` })
    expect(await client.receive()).toBe('hello')
    expect(client.connection?.path).toBe('/live')
    for (const other of ['/ws/ticket', '/live', '/']) {
      expect((await server.fetch(other, { method: 'POST' })).status).toBe(404)
    }
  })

  it('takes what guardServer takes', async () => {
    const { connect, seen } = live({
      server: {
        authorize: (_, [data]) => String(data) !== 'forbidden',
        messagesPerSecond: 3,
        webSocketServer: new WebSocketServer({ noServer: true, maxPayload: 10 }),
      },
    })
    const client = await connect()
    client.send('forbidden')
    client.send('allowed')
    expect(await client.receive()).toBe('echo allowed')
    expect(seen).toEqual(['handler ada', 'allowed'])
    client.send('x'.repeat(11))
    expect((await client.closed).code).toBe(1009)
    const other = await connect()
    for (let i = 0; i < 4; i++) other.send(`${i}`)
    expect((await other.closed).code).toBe(4029)
  })

  it('tells with which status and headers a handshake was refused', async () => {
    const { server } = live()
    const refused = await server.connect({ headers: { Authorization: 'Bearer bad' } }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RefusedError)
    expect(refused).toMatchObject({
      name: 'RefusedError',
      message: 'The guard refused the handshake with 401',
      status: 401,
      headers: { 'www-authenticate': 'Bearer', 'content-type': 'application/json' },
    })
  })

  it('tells of a refusal by Close with the code', async () => {
    const { server } = live()
    const client = await server.connect({ query: 'token=bad', origin })
    expect(await client.closed).toEqual({ code: 4001, reason: 'Authentication failed' })
    expect(client.connection).toBeUndefined()
  })

  it('knows the connection as soon as the guard has accepted it, and not before', async () => {
    const { server, guard } = live()
    const client = await server.connect()
    expect(client.connection).toBeUndefined()
    expect(() => client.expireNow()).toThrow('not accepted')
    await expect(client.revokeNow()).rejects.toThrow('not accepted')
    await sendAuth(client, credentialOf({ id: 'eve' }))
    expect(client.connection?.identity).toEqual({ id: 'eve' })
    expect(guard.connections.size).toBe(1)
  })
})

describe('a test client', () => {
  it('receives messages in their order, text as text and binary as bytes', async () => {
    const { connect, sockets } = live()
    const client = await connect()
    const [socket] = sockets
    socket?.send('one')
    socket?.send(Buffer.from([2]))
    const third = (async () => [await client.receive(), await client.receive(), await client.receive()])()
    await nextTurn()
    socket?.send('three')
    expect(await third).toEqual(['one', Buffer.from([2]), 'three'])
  })

  it('is not left waiting for a message by a socket that closes', async () => {
    const { connect, sockets } = live()
    const client = await connect()
    const waiting = client.receive()
    sockets[0]?.close(1000)
    await expect(waiting).rejects.toThrow('The socket closed with 1000 before a message came')
    await expect(client.receive()).rejects.toThrow('1000')
  })

  it('receives what came before the Close', async () => {
    const { connect, sockets } = live()
    const client = await connect()
    sockets[0]?.send('last words')
    sockets[0]?.close(1000)
    await client.closed
    expect(await client.receive()).toBe('last words')
    await expect(client.receive()).rejects.toThrow('1000')
  })

  it('sends bytes', async () => {
    const { connect, seen } = live()
    const client = await connect()
    client.send(Buffer.from('bytes'))
    expect(await client.receive()).toBe('echo bytes')
    expect(seen).toEqual(['handler ada', 'bytes'])
  })

  it.each([0, 5_000, 60_000])('expireNow ends it, with a leeway of %i ms', async (leeway) => {
    const { connect, clock, guard } = live({ life: { leeway } })
    // Between two seconds, where the timer is a little later.
    clock.advance(1)
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + 600_000 })
    client.expireNow()
    expect(guard.connections.size).toBe(0)
    expect(await client.closed).toEqual({ code: 4019, reason: 'Credential expired' })
    expect(clock.pending).toBe(0)
  })

  it('expireNow says so when there is nothing that could end', async () => {
    const { connect } = live()
    const client = await connect()
    expect(() => client.expireNow()).toThrow('no end')
  })

  it('revokeNow revokes the session, and its siblings with it, or else the user', async () => {
    const { connect, guard } = live()
    const [one, sibling, other] = [
      await connect({ session: 's1' }),
      await connect({ session: 's1' }),
      await connect({ session: 's2' }),
    ]
    await one.revokeNow()
    expect((await one.closed).code).toBe(4010)
    expect((await sibling.closed).code).toBe(4010)
    expect([...guard.connections]).toEqual([other.connection])
    const [bare, eve] = [await connect({ id: 'bob' }), await connect({ id: 'eve' })]
    await bare.revokeNow()
    expect((await bare.closed).code).toBe(4010)
    expect([...guard.connections]).toEqual([other.connection, eve.connection])
  })

  it('dropNetwork breaks both sides, without a Close', async () => {
    const { connect, guard, sockets } = live()
    const client = await connect()
    const closed = [nextEvent(guard, 'closed'), once(sockets[0]!, 'close')] as const
    client.dropNetwork()
    expect((await client.closed).code).toBe(1006)
    await closed[0]
    expect((await closed[1])[0]).toBe(1006)
    expect(guard.connections.size).toBe(0)
  })

  it('dropNetwork while it waits between the doors leaves nothing behind', async () => {
    const { server, clock, guard } = live()
    const client = await server.connect()
    client.dropNetwork()
    expect((await client.closed).code).toBe(1006)
    await nextTurn()
    expect(clock.pending).toBe(0)
    expect(guard.connections.size).toBe(0)
  })

  it('revokeNow names the user of this issuer and tenant alone', async () => {
    const { connect, guard } = live()
    const [one, other] = [
      await connect({ issuer: 'https://id.example.com', tenant: 'acme' }),
      await connect({ issuer: 'https://id.example.com', tenant: 'other' }),
    ]
    await one.revokeNow()
    expect((await one.closed).code).toBe(4010)
    expect([...guard.connections]).toEqual([other.connection])
  })

  it.each(['message', 'header'] as const)('expireSoon lets it be renewed at the last moment: %s', async (way) => {
    const { connect, clock, renew, guard } = live()
    const claims = () => ({ session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + 600_000 })
    const client = await connect(claims(), way)
    const { expiresAt = 0, id } = client.connection!
    client.expireSoon()
    expect(expiresAt - clock.now()).toBe(1_000)
    expect(guard.connections.size).toBe(1)
    if (way === 'message') expect(JSON.parse(String(await client.receive()))).toMatchObject({ type: 'auth_expiring' })
    const renewed = client.renewed()
    if (way === 'message') await sendAuth(client, credentialOf(claims()))
    else expect((await renew(credentialOf(claims()), { connection: id })).status).toBe(200)
    await renewed
    expect(client.connection?.expiresAt).toBe(clock.now() + 600_000)
  })

  it('expireSoon takes no time back, and says so when there is nothing that could end', async () => {
    const { connect, clock } = live()
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + 500 })
    const before = clock.now()
    client.expireSoon()
    expect(clock.now()).toBe(before)
    const endless = await connect()
    expect(() => endless.expireSoon()).toThrow('no end')
  })

  it('is not left waiting for a renewal by a socket that closes, nor told of another’s', async () => {
    const { connect, clock, renew } = live()
    const claims = (session: string) => ({ session, issuedAt: clock.now(), expiresAt: clock.now() + 600_000 })
    const [client, other] = [await connect(claims('s1')), await connect(claims('s2'))]
    const renewed = client.renewed()
    clock.advance(1_000)
    await Promise.all([other.renewed(), renew(credentialOf(claims('s2')))])
    await client.revokeNow()
    await expect(renewed).rejects.toThrow('The socket closed with 4010 before it was renewed')
  })

  describe('losePackets', () => {
    it.each(['client', 'server', 'both', undefined] as const)(
      'swallows what is sent, and tells nobody: %s',
      async (from) => {
        const { connect, seen, sockets, guard } = live()
        const client = await connect()
        const arrived: string[] = []
        client.socket.on('message', (data) => arrived.push(String(data)))
        client.losePackets(from)
        client.send('up')
        sockets[0]?.send('down')
        for (let i = 0; i < 5; i++) await nextTurn()
        expect(seen.includes('up')).toBe(from === 'server')
        expect(arrived.includes('down')).toBe(from === 'client')
        expect(client.socket.readyState).toBe(client.socket.OPEN)
        expect(guard.connections.size).toBe(1)
      },
    )

    it('leaves the client in the belief that it is connected, after the server has let go of it', async () => {
      const { connect, guard, clock } = live()
      const client = await connect({ session: 's1' })
      const closed = nextEvent(guard, 'closed')
      client.losePackets()
      await client.revokeNow()
      clock.advance(1_000)
      await closed
      expect(guard.connections.size).toBe(0)
      client.send('is anybody there?')
      await nextTurn()
      expect(client.socket.readyState).toBe(client.socket.OPEN)
      client.dropNetwork()
      expect((await client.closed).code).toBe(1006)
    })

    it('leaves the server in the belief, after the client has let go', async () => {
      const { connect, guard, sockets } = live()
      const client = await connect()
      client.losePackets('client')
      client.socket.terminate()
      expect((await client.closed).code).toBe(1006)
      sockets[0]?.send('is anybody there?')
      await nextTurn()
      expect(guard.connections.size).toBe(1)
    })
  })

  it('may be many at once', async () => {
    const clock = testClock()
    const guard = createGuard({
      clock,
      accept: [
        query({ verify: verifyClaims, dangerouslyAllowLongLived: true }),
        firstMessage({ verify: verifyClaims }),
      ],
    })
    const server = testServer(guard, (socket, { identity }) => socket.send(identity.id), { clock })
    const ids = Array.from({ length: 100 }, (_, i) => `user-${i}`)
    const greetings = await Promise.all(
      ids.map(async (id, i) => {
        const client = await server.connect(i % 2 ? { query: `token=${credentialOf({ id })}` } : {})
        if (i % 2 === 0) {
          client.send(authFrame(credentialOf({ id })))
          await client.receive()
        }
        const greeting = await client.receive()
        expect(client.connection?.identity.id).toBe(id)
        return greeting
      }),
    )
    expect(greetings).toEqual(ids)
    expect(guard.connections.size).toBe(100)
  })
})

describe('testNodes', () => {
  /** Nodes of an application that greets its users. */
  function setUp(options: { readonly nodes?: number } = {}) {
    const clock = testClock()
    const nodes = testNodes(
      (shared) =>
        createGuard({
          ...shared,
          accept: [ticket(), header({ verify: verifyClaims })],
          connectionsPerIdentity: { max: 2, whenFull: 'refuse' },
        }),
      (socket, { identity }) => socket.send(`hello ${identity.id}`),
      { clock, ...options },
    )
    return { clock, nodes }
  }

  it('are two, each with a guard and connections of its own', async () => {
    const { nodes } = setUp()
    expect(nodes).toHaveLength(2)
    expect(setUp({ nodes: 3 }).nodes).toHaveLength(3)
    expect(() => setUp({ nodes: 1 })).toThrow('testNodes: nodes is 1; give a number from 2 to 1000')
    const [one, two] = nodes
    const client = await one.connect({ headers: authorization() })
    expect(await client.receive()).toBe('hello ada')
    expect(nodes.map(({ guard }) => guard.connections.size)).toEqual([1, 0])
    expect(two.guard).not.toBe(one.guard)
  })

  it('learn of each other’s revocations', async () => {
    const { nodes } = setUp()
    const [one, two] = nodes
    const client = await one.connect({ headers: authorization({ session: 's1' }) })
    const other = await one.connect({ headers: authorization({ session: 's2' }) })
    await two.guard.revoke({ session: 's1' })
    expect(await client.closed).toEqual({ code: 4010, reason: 'Revoked' })
    expect([...one.guard.connections]).toEqual([other.connection])
    await expect(two.connect({ headers: authorization({ session: 's1' }) })).rejects.toMatchObject({ status: 401 })
  })

  it('share tickets and limits', async () => {
    const { nodes } = setUp()
    const [one, two] = nodes
    const response = await one.fetch('/ws/ticket', { method: 'POST', headers: authorization() })
    const { ticket: issued } = (await response.json()) as { ticket: string }
    await two.connect({ query: `ticket=${issued}` })
    await expect(one.connect({ query: `ticket=${issued}` })).rejects.toMatchObject({ status: 401 })
    const last = await one.connect({ headers: authorization() })
    await expect(two.connect({ headers: authorization() })).rejects.toMatchObject({ status: 409 })
    expect(last.connection?.address).not.toBe([...two.guard.connections][0]?.address)
  })
})

describe('the wire', () => {
  it('carries bytes both ways, and the end of each', async () => {
    const [client, server] = WireEnd.pair('192.0.2.1')
    expect(server.remoteAddress).toBe('192.0.2.1')
    const ended = once(server, 'end')
    client.end('to the server')
    const [chunk] = (await once(server, 'data')) as [Buffer]
    expect(chunk.toString()).toBe('to the server')
    expect(server.bytesRead).toBe(13)
    await ended
    // The other direction is still open.
    server.write('to the client')
    expect(String((await once(client, 'data'))[0])).toBe('to the client')
    const over = once(client, 'end')
    server.end()
    await over
  })

  it('makes the writer wait for a reader that does not read', async () => {
    const [client, server] = WireEnd.pair('192.0.2.1')
    let written = 0
    const chunk = Buffer.alloc(16_384)
    const write = () =>
      client.write(chunk, () => {
        written++
      })
    for (let i = 0; i < 100; i++) write()
    await nextTurn()
    expect(written).toBeLessThan(20)
    expect(client.writableLength).toBeGreaterThan(1_000_000)
    let received = 0
    server.on('data', (data: Buffer) => {
      received += data.length
    })
    while (received < 100 * chunk.length) await nextTurn()
    expect(written).toBe(100)
  })

  it('breaks at both ends when it is cut', async () => {
    const [client, server] = WireEnd.pair('192.0.2.1')
    const errors = [once(client, 'error'), once(server, 'error')]
    client.cut()
    for (const error of errors) expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' })
    expect([client.destroyed, server.destroyed]).toEqual([true, true])
  })

  it('tells who writes to an end that is gone', async () => {
    const [client, server] = WireEnd.pair('192.0.2.1')
    server.on('error', () => {})
    client.destroy()
    const failed = new Promise((resolve) => server.write('x', resolve))
    expect(await failed).toMatchObject({ code: 'ECONNRESET' })
  })
})
