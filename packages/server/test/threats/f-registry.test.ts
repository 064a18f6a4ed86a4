import type { Guard, Identity } from '@sallyport/server'
import type { TestClient } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { authFrame, credentialOf, type LiveOptions, live, nextEvent, sendAuth, verifyClaims } from '../support/live.js'

const replaced = { code: 4009, reason: 'Replaced' }
const minute = 60_000

describe('F18 every way out leaves nothing behind', () => {
  type Live = ReturnType<typeof live>
  type Client = TestClient<Identity>
  const claims = ({ clock }: Live) => ({ session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + 10 * minute })
  const accepted = (set: Live): Promise<Client> => set.connect(claims(set))
  const waiting = ({ server }: Live): Promise<Client> => server.connect()
  const status = (attempt: Promise<unknown>) =>
    attempt.then(
      () => expect.unreachable('it was accepted'),
      ({ status }: { status: number }) => status,
    )

  let hanging = deferred()
  const verify: LiveOptions['verify'] = (credential, context) => {
    if (credential === 'hangs') {
      hanging.resolve()
      return new Promise(() => {})
    }
    if (credential === 'fails') throw new Error('verifier bug')
    return verifyClaims(credential, context)
  }

  const exits: [string, (set: Live) => Promise<unknown>, LiveOptions?][] = [
    ['the client closes', async (set) => (await accepted(set)).socket.close()],
    ['the client is gone', async (set) => (await accepted(set)).socket.terminate()],
    ['the network is gone', async (set) => (await accepted(set)).dropNetwork()],
    ['its credential ends', async (set) => (await accepted(set)).expireNow()],
    ['its session is revoked', async (set) => (await accepted(set)).revokeNow()],
    ['it is kicked', async (set) => set.guard.revoke({ connection: (await accepted(set)).connection!.id })],
    [
      'it is renewed as somebody else',
      async (set) => {
        const client = await set.connect(claims(set), 'message')
        client.send(authFrame(credentialOf({ ...claims(set), id: 'eve' })))
        expect((await client.closed).code).toBe(4003)
      },
    ],
    [
      'it is renewed, and then its client closes',
      async (set) => {
        const client = await set.connect(claims(set), 'message')
        set.clock.advance(1_000)
        await sendAuth(client, credentialOf({ ...claims(set), session: 's2' }))
        client.socket.close()
      },
    ],
    [
      'it closes while it is renewed',
      async (set) => {
        const client = await set.connect(claims(set), 'message')
        client.send(authFrame('hangs'))
        client.socket.close()
        await client.closed
        set.clock.advance(5_000)
      },
    ],
    [
      'the application closes',
      async (set) => {
        const client = await accepted(set)
        set.sockets[0]?.close(1000)
        expect((await client.closed).code).toBe(1000)
      },
    ],
    [
      'the client breaks the protocol',
      async (set) => {
        const client = await accepted(set)
        // A frame that is not masked, and too long for a control frame.
        ;(client.socket as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0x89, 0x7f, 0, 0]))
        expect((await client.closed).code).toBe(1002)
      },
    ],
    [
      'it sends too much',
      async (set) => {
        const client = await accepted(set)
        client.send('one')
        client.send('two')
        expect((await client.closed).code).toBe(4029)
      },
      { server: { messagesPerSecond: 1 } },
    ],
    [
      'the handler throws',
      async (set) => expect((await (await accepted(set)).closed).code).toBe(1011),
      {
        onConnection: () => {
          throw new Error('handler bug')
        },
      },
    ],
    [
      'the handler rejects',
      async (set) => expect((await (await accepted(set)).closed).code).toBe(1011),
      { onConnection: () => Promise.reject(new Error('handler bug')) },
    ],
    [
      'the handler never ends',
      async (set) => (await accepted(set)).socket.close(),
      { onConnection: () => new Promise(() => {}) },
    ],
    [
      'the permission fails',
      async (set) => {
        const client = await accepted(set)
        client.send('a')
        expect((await client.closed).code).toBe(1011)
      },
      { server: { authorize: () => Promise.reject(new Error('authorize bug')) } },
    ],
    [
      'the permission never comes',
      async (set) => {
        const client = await accepted(set)
        client.send('a')
        client.socket.close()
      },
      { server: { authorize: () => new Promise(() => {}) } },
    ],
    [
      'it has too many connections',
      async (set) => {
        const first = await accepted(set)
        await expect(accepted(set)).rejects.toMatchObject({ status: 409 })
        first.socket.close()
      },
      { connectionsPerIdentity: { max: 1, whenFull: 'refuse' } },
    ],
    [
      'it is replaced',
      async (set) => {
        const first = await accepted(set)
        const second = await accepted(set)
        expect((await first.closed).code).toBe(4009)
        second.socket.close()
      },
      { connectionsPerIdentity: { max: 1, whenFull: 'replace' } },
    ],
    ['its credential is bad', async (set) => expect(await status(set.connect('bad'))).toBe(401)],
    [
      'its credential is bad, and it is told by Close',
      async (set) => {
        const client = await set.server.connect({ query: 'token=bad', origin })
        expect((await client.closed).code).toBe(4001)
      },
    ],
    [
      'its origin is foreign',
      async (set) => expect(await status(set.server.connect({ origin: 'https://x.example' }))).toBe(403),
    ],
    ['its verifier fails', async (set) => expect(await status(set.connect('fails'))).toBe(500)],
    [
      'its verifier hangs',
      async (set) => {
        const attempt = status(set.connect('hangs'))
        await hanging.promise
        set.clock.advance(5_000)
        expect(await attempt).toBe(503)
      },
    ],
    ['it leaves between the doors', async (set) => (await waiting(set)).socket.terminate()],
    ['it closes between the doors', async (set) => (await waiting(set)).socket.close()],
    [
      'it is silent between the doors',
      async (set) => {
        const client = await waiting(set)
        set.clock.advance(5_000)
        expect((await client.closed).code).toBe(4001)
      },
    ],
    [
      'its first message is bad',
      async (set) => {
        const client = await waiting(set)
        client.send(authFrame('bad'))
        expect((await client.closed).code).toBe(4001)
      },
    ],
    [
      'its first message is too large',
      async (set) => {
        const client = await waiting(set)
        client.send('x'.repeat(20_000))
        expect((await client.closed).code).toBe(1009)
      },
    ],
    [
      'it leaves while its first message is verified',
      async (set) => {
        const client = await waiting(set)
        client.send(authFrame('hangs'))
        client.socket.terminate()
        await client.closed
        set.clock.advance(5_000)
      },
    ],
    [
      'it has to make room between the doors',
      async (set) => {
        const client = await waiting(set)
        const other = await waiting(set)
        expect((await client.closed).code).toBe(4029)
        other.socket.close()
      },
      { limits: { pendingSockets: 1 } },
    ],
    [
      'the node goes down',
      async (set) => {
        await accepted(set)
        await set.guard.drain()
      },
    ],
  ]

  it.each(exits)('F18 %s', async (_, exit, { limits, ...options } = {}) => {
    hanging = deferred()
    const set = live({ verify, limits: { pendingSockets: 3, ...limits }, ...options })
    await exit(set)
    const { guard, clock } = set
    while (guard.connections.size > 0) await nextEvent(guard, 'closed')
    // Whoever has not answered the Close by then is gone a second later.
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    clock.advance(1_000)
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect(guard.connections.size).toBe(0)
    expect([...guard.connections]).toEqual([])
    expect(liveConnections(guard).find({ session: 's1' })).toEqual([])
    expect(liveConnections(guard).find({ session: 's2' })).toEqual([])
    expect(await guard.revoke('all')).toMatchObject({ closed: 0 })
    expect(clock.pending).toBe(0)
    expect(freePlaces(guard)).toBe(limits?.pendingSockets ?? 3)
  })

  /** How many places there are for undecided sockets; it takes them all. */
  function freePlaces(guard: Guard<Identity>): number {
    const place = (i: number) => guard.enter({ method: 'GET', target: '/ws', headers: [], address: `198.51.100.${i}` })
    let free = 0
    while (!('reason' in place(free))) free++
    return free
  }
})

describe('F19 the number of connections of an identity', () => {
  const max = 5
  const many = 50

  async function storm(whenFull: 'refuse' | 'replace', way: 'header' | 'message' = 'header') {
    const gate = deferred()
    const set = live({
      connectionsPerIdentity: { max, whenFull },
      // All of them have passed the guard before the first is registered.
      verify: async (credential, context) => {
        await gate.promise
        return verifyClaims(credential, context)
      },
    })
    const { guard, server, connect, present } = set
    let most = 0
    const live_ = () => [...guard.connections].filter(({ identity }) => identity.id === 'ada').length
    guard.subscribe(() => {
      most = Math.max(most, live_())
    })
    const clients = await (async () => {
      if (way === 'message') {
        const opened = await Promise.all(Array.from({ length: many }, () => server.connect()))
        for (const client of opened) client.send(authFrame(credentialOf()))
        gate.resolve()
        return opened
      }
      const options = await present(credentialOf(), way)
      // A page is told by Close, which a status could not tell it.
      const opening = Array.from({ length: many }, () => server.connect({ ...options, origin }))
      gate.resolve()
      return Promise.all(opening)
    })()
    const closes: { readonly code: number; readonly reason: string }[] = []
    await new Promise<void>((resolve) => {
      for (const client of clients) {
        void client.closed.then((close) => closes.push(close) === many - max && resolve())
      }
    })
    return { ...set, clients, closes, most, live: live_, connect }
  }

  it.each([
    ['refuse', 'header'],
    ['replace', 'header'],
    ['refuse', 'message'],
    ['replace', 'message'],
  ] as const)('F19 is never above its limit, however many open at once: %s, by %s', async (whenFull, way) => {
    const { closes, most, live, clients, seen } = await storm(whenFull, way)
    expect(closes).toEqual(Array(many - max).fill(replaced))
    expect(most).toBe(max)
    expect(live()).toBe(max)
    const open = clients.filter(({ socket }) => socket.readyState === socket.OPEN)
    expect(open).toHaveLength(max)
    // Those that are refused never reach the application, nor does one that is replaced before its socket is open.
    expect(seen.length).toBeGreaterThanOrEqual(max)
    if (whenFull === 'refuse') expect(seen).toHaveLength(max)
  })

  it('F19 keeps the oldest or the newest, as it is told', async () => {
    for (const [whenFull, stays] of [
      ['refuse', [0, 1]],
      ['replace', [2, 3]],
    ] as const) {
      const { connect, clock, guard } = live({ connectionsPerIdentity: { max: 2, whenFull } })
      const clients: TestClient<Identity>[] = []
      for (let i = 0; i < 4; i++) {
        const refused = whenFull === 'refuse' && i >= 2
        if (refused) await expect(connect({ token: `t${i}` })).rejects.toMatchObject({ status: 409 })
        else clients.push(await connect({ token: `t${i}` }))
        clock.advance(1_000)
      }
      const left = [...guard.connections].map(({ token }) => token)
      expect(left).toEqual(stays.map((i) => `t${i}`))
      for (const [i, client] of clients.entries()) {
        if (stays.some((stay) => stay === i)) expect(client.socket.readyState).toBe(client.socket.OPEN)
        else expect(await client.closed).toEqual(replaced)
      }
    }
  })

  it('F19 counts by identity: issuer, tenant and id', async () => {
    const { connect, guard } = live({ connectionsPerIdentity: { max: 1, whenFull: 'refuse' } })
    const different = [{}, { issuer: 'i1' }, { issuer: 'i1', tenant: 'n1' }, { tenant: 'n1' }, { id: 'eve' }]
    for (const claims of different) await connect(claims)
    expect(guard.connections.size).toBe(5)
    for (const claims of different) await expect(connect(claims)).rejects.toMatchObject({ status: 409 })
    expect(guard.connections.size).toBe(5)
  })

  it('F19 counts no renewal, which has its place already', async () => {
    const { connect, renew, guard, clock } = live({ connectionsPerIdentity: { max: 1, whenFull: 'refuse' } })
    const claims = { session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + 60_000 }
    const client = await connect(claims, 'message')
    expect(await sendAuth(client, credentialOf(claims))).toMatchObject({ type: 'auth_ok' })
    expect((await renew(credentialOf(claims))).status).toBe(200)
    await expect(connect(claims)).rejects.toMatchObject({ status: 409 })
    expect(guard.connections.size).toBe(1)
  })

  it('F19 has a place again when one leaves', async () => {
    const { connect, guard } = live({ connectionsPerIdentity: { max: 1, whenFull: 'refuse' } })
    const first = await connect()
    await expect(connect()).rejects.toMatchObject({ status: 409 })
    const left = nextEvent(guard, 'closed')
    first.socket.close()
    await left
    await connect()
    expect(guard.connections.size).toBe(1)
  })

  it('F19 sets no limit unless it is told', async () => {
    const { connect, guard } = live()
    for (let i = 0; i < 100; i++) await connect()
    expect(guard.connections.size).toBe(100)
  })
})
