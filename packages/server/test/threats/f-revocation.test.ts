import { createGuard, type GuardEvent, memoryStore, type RevocationTarget } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { testClock } from '../support/clock.js'
import { deferred, microtasks, nextTurn } from '../support/deferred.js'
import { allMethods } from '../support/guard.js'
import { held } from '../support/held.js'
import { authFrame, type Claims, credentialOf, live, nextEvent, sendAuth, verifyClaims, ways } from '../support/live.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'

const revoked = { code: 4010, reason: 'Revoked' }
const authorized = { Authorization: 'Bearer good-ada' }
const second = 1_000

/** A live server over TCP that keeps what its application gets to see. */
async function start() {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(), clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const seen: string[] = []
  const sockets: WebSocket[] = []
  const { port, idle } = await startServer(guard, (socket) => {
    sockets.push(socket)
    socket.on('message', (data) => {
      seen.push(String(data))
      socket.send(`echo ${data}`)
    })
  })
  return { clock, guard, events, seen, sockets, port, idle }
}

describe.each(ways)('F02 a credential that came by %s', (way) => {
  it.each<[string, RevocationTarget, boolean]>([
    ['its user', { user: 'ada' }, true],
    ['its session', { session: 's1' }, true],
    ['its token', { token: 't1' }, true],
    ['everybody', 'all', true],
    ['another user', { user: 'eve' }, false],
    ['another session', { session: 's2' }, false],
  ])('F02 is no longer good on a live connection, nor for another: %s', async (_, target, closes) => {
    const { clock, connect, present, server, guard, seen } = live()
    const claims = { session: 's1', token: 't1', issuedAt: clock.now(), expiresAt: clock.now() + 60_000 }
    const client = await connect(claims, way)
    const ticketOrToken = await present(credentialOf(claims), way)
    expect(await guard.revoke(target)).toMatchObject({ closed: closes ? 1 : 0 })
    if (!closes) {
      client.send('still here')
      let text = await client.receive()
      while (text !== 'echo still here') text = await client.receive()
      expect(await connect(claims, way)).toBeDefined()
      expect(seen).toEqual(['handler ada', 'still here', 'handler ada'])
      return
    }
    expect(await client.closed).toEqual(revoked)
    expect(guard.connections.size).toBe(0)
    if (way === 'message') {
      const again = await server.connect()
      expect(await sendAuth(again, credentialOf(claims))).toEqual({ type: 'auth_fail' })
      expect((await again.closed).code).toBe(4001)
    } else {
      const again = await server.connect(ticketOrToken).catch((error: unknown) => error)
      // A stale cookie may give way to a first message, which does not come.
      clock.advance(5_000)
      if (way === 'cookie') expect((await (again as typeof client).closed).code).toBe(4001)
      else expect(again).toMatchObject({ status: 401 })
    }
    expect(seen).toEqual(['handler ada'])
    clock.advance(1)
    await connect({ ...claims, id: 'control', session: 's3', token: 't3', issuedAt: clock.now() + 1 }, way)
    expect(seen.at(-1)).toBe('handler control')
  })
})

describe('F03 a peer that does not go', () => {
  it('F03 gets nothing delivered, and is terminated within a second', async () => {
    const { clock, guard, seen, port, idle } = await start()
    const { client } = await rawOpen(port, '/ws', authorized)
    client.write(rawFrame('before'))
    expect(await client.textsUntil(1)).toEqual(['echo before'])
    await guard.revoke({ user: 'ada' })
    expect(await client.closeFrame()).toEqual(revoked)
    for (let tenth = 0; tenth < 9; tenth++) {
      client.write(Buffer.concat([rawFrame(`text ${tenth}`), rawFrame('binary', { opcode: 2 })]))
      client.write(Buffer.concat([rawFrame('in ', { fin: false }), rawFrame('two', { opcode: 0 })]))
      // By the time the server has answered somebody else, it has read what came before.
      await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })
      clock.advance(100)
    }
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(100)
    await client.gone()
    client.destroy()
    expect(seen).toEqual(['before'])
    expect(client.texts()).toEqual(['echo before'])
    expect(guard.connections.size).toBe(0)
    clock.advance(second)
    await idle()
    expect(clock.pending).toBe(0)
  })

  it('F03 nor by a message that was on its way', async () => {
    const { guard, seen, port } = await start()
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', authorized))
    await client.head()
    const ended = nextEvent(guard, 'ended')
    client.write(Buffer.concat(Array.from({ length: 1_000 }, (_, i) => rawFrame(`${i}`))))
    await guard.revoke({ user: 'ada' })
    await ended
    expect(await client.closeFrame()).toEqual(revoked)
    // All of it was in one segment or none of it was read by then: what was seen came before the revocation.
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => `${i}`))
    const before = seen.length
    await nextTurn()
    expect(seen).toHaveLength(before)
  })

  it('F03 nor when a handler revokes it in the middle of what it sends', async () => {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const seen: string[] = []
    const { port } = await startServer(guard, (socket, { id }) => {
      socket.on('message', (data) => {
        seen.push(String(data))
        if (String(data) === 'log me out') void guard.revoke({ connection: id })
      })
    })
    const client = await RawClient.connect(port)
    const frames = ['a', 'log me out', 'b', 'c'].map((text) => rawFrame(text))
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), ...frames]))
    expect(await client.closeFrame()).toEqual(revoked)
    expect(seen).toEqual(['a', 'log me out'])
    const other = await RawClient.connect(port)
    const harmless = ['a', 'b', 'c'].map((text) => rawFrame(text))
    other.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), ...harmless]))
    await other.head()
    await other.ping()
    expect(seen.slice(2)).toEqual(['a', 'b', 'c'])
  })
})

describe('F04 what waits to be sent', () => {
  it('F04 is not sent after a revocation, nor what is broadcast', async () => {
    const { connect, guard, sockets } = live()
    const [client, other] = [await connect({ id: 'ada' }), await connect({ id: 'eve' })]
    const received: string[] = []
    client.socket.on('message', (data) => received.push(String(data)))
    const broadcast = (text: string) => {
      for (const socket of sockets) if (socket.readyState === socket.OPEN) socket.send(text)
    }
    broadcast('before')
    await guard.revoke({ user: 'ada' })
    broadcast('after')
    for (const socket of sockets) socket.send('without a look')
    expect(await client.closed).toEqual(revoked)
    expect(received).toEqual(['before'])
    expect([await other.receive(), await other.receive(), await other.receive()]).toEqual([
      'before',
      'after',
      'without a look',
    ])
  })

  it.each<[string, RevocationTarget | 'expiry']>([
    ['a revocation', { user: 'ada' }],
    ['the end of its credential', 'expiry'],
  ])('F04 for a slow reader is dropped with the socket: %s', async (_, cause) => {
    const { clock, guard, sockets, port } = await start()
    const { client } = await rawOpen(port, '/ws', authorized)
    client.socket.pause()
    const [socket] = sockets as [WebSocket]
    const chunk = Buffer.alloc(65_536, 'x')
    let sent = 0
    // More than the buffers of the kernel take.
    while (socket.bufferedAmount < 1_048_576) {
      socket.send(chunk)
      sent += chunk.length
      await nextTurn()
    }
    const closed = nextEvent(guard, 'closed')
    if (cause === 'expiry') clock.advance(60_000 + 5_000)
    else await guard.revoke(cause)
    expect(guard.connections.size).toBe(0)
    // Without waiting for the second that the others have to answer.
    await closed
    expect(socket.readyState).toBe(socket.CLOSED)
    client.socket.resume()
    await client.gone()
    expect(client.isClosed).toBe(false)
    const received = client.frames().reduce((bytes, { payload }) => bytes + payload.length, 0)
    expect(received).toBeLessThanOrEqual(sent - 1_048_576)
  })

  it('F04 for a reader that keeps up leaves time for the Close', async () => {
    const { guard, sockets, port } = await start()
    const { client } = await rawOpen(port, '/ws', authorized)
    sockets[0]?.send(Buffer.alloc(1_000, 'x'))
    await guard.revoke({ user: 'ada' })
    expect(await client.closeFrame()).toEqual(revoked)
  })
})

describe('F05 a revocation that races', () => {
  it('F05 against handshakes of every kind, a thousand times, leaves no survivor', { timeout: 60_000 }, async () => {
    let session = ''
    let asked = deferred()
    const { clock, guard, server, present, seen, kinds, events } = live({
      // Whatever is asked for the credential tells that the race is on.
      verify: async (credential, { now }) => {
        asked.resolve()
        await microtasks(credential.length)
        return { identity: { id: 'ada' }, session, issuedAt: now, expiresAt: now + 60_000 }
      },
      store: (clock) => {
        const tickets = memoryStore({ clock })
        const take = (key: string) => {
          asked.resolve()
          return tickets.take(key)
        }
        return { ...tickets, take }
      },
    })
    let refused = 0
    for (let i = 0; i < 1_000; i++) {
      const way = ways[i % ways.length]!
      // What was issued in the same moment as the last revocation would be refused without a race.
      clock.advance(second)
      session = `s${i}`
      const options = await present('x'.repeat(1 + (i % 7)), way)
      asked = deferred()
      const attempt = server.connect(options)
      const outcome = attempt.then(
        async (client) => (await client.closed).code,
        (error: { status: number }) => error.status,
      )
      if (way === 'message') (await attempt).send(authFrame('x'))
      await asked.promise
      await microtasks(i % 29)
      await guard.revoke(i % 2 === 0 ? { user: 'ada' } : { session })
      const before = seen.length
      // A stale cookie may give way to a first message, which does not come.
      if (way === 'cookie') await attempt.then(() => clock.advance(5_000))
      const code = await outcome
      expect([401, 4001, 4010]).toContain(code)
      if (code !== 4010) refused++
      expect(guard.connections.size).toBe(0)
      // Nobody was let in after it.
      expect(seen.length).toBe(before)
    }
    // It did race: some were refused, some overtaken between the verdict and the registry, some closed.
    const ended = events.flatMap((event) => (event.type === 'ended' ? [event.code] : []))
    const accepted = kinds().filter((kind) => kind === 'accepted').length
    expect(new Set(ended)).toEqual(new Set(['revoked']))
    expect(accepted).toBe(seen.length)
    expect(refused + ended.length).toBe(1_000)
    for (const count of [refused, ended.length - accepted, accepted]) expect(count).toBeGreaterThan(50)
  })
})

describe('F05 a revocation while a first message is looked at', () => {
  const cases: [string, RevocationTarget, boolean][] = [
    ['its user', { user: 'ada' }, false],
    ['its session', { session: 's1' }, false],
    ['everybody', 'all', false],
    ['another user', { user: 'eve' }, true],
  ]

  /** Sends a first message, lets `meanwhile` happen once somebody is asked, and says all that the client hears. */
  async function race(set: ReturnType<typeof live>, asked: Promise<void>, meanwhile: () => Promise<void>) {
    const { clock, server } = set
    const client = await server.connect()
    const frames: string[] = []
    client.socket.on('message', (data) => frames.push(String(data)))
    client.send(authFrame(credentialOf({ session: 's1', issuedAt: clock.now() })))
    client.send('behind it')
    await asked
    expect(frames).toEqual([])
    await meanwhile()
    return { client, frames }
  }

  it.each(cases)('F05 refuses what the verifier has yet to answer: %s', async (_, target, good) => {
    const { verify, asked, release } = held(verifyClaims)
    const set = live({ verify })
    const { guard, seen, kinds, reasons } = set
    const { client, frames } = await race(set, asked, async () => {
      await guard.revoke(target)
      release()
    })
    if (good) {
      await expect.poll(() => frames.at(-1)).toBe('echo behind it')
      expect(frames[0]).toContain('"auth_ok"')
      return
    }
    expect(await client.closed).toEqual({ code: 4001, reason: 'Authentication failed' })
    expect(frames).toEqual(['{"type":"auth_fail"}'])
    expect(reasons()).toEqual(['credential-revoked'])
    expect([kinds(), seen]).toEqual([['refused'], []])
  })

  it.each(cases)('F05 closes what was found good and waits for its place: %s', async (_, target, good) => {
    const [asked, released] = [deferred(), deferred()]
    const set = live({
      connectionsPerIdentity: { max: 2, whenFull: 'refuse' },
      store(clock) {
        const memory = memoryStore({ clock })
        return {
          ...memory,
          async acquire(...place) {
            asked.resolve()
            await released.promise
            return memory.acquire(...place)
          },
        }
      },
    })
    const { guard, seen, kinds } = set
    const { client, frames } = await race(set, asked.promise, async () => {
      await guard.revoke(target)
      released.resolve()
    })
    if (good) {
      await expect.poll(() => frames.at(-1)).toBe('echo behind it')
      expect(frames[0]).toContain('"auth_ok"')
      return
    }
    expect(await client.closed).toEqual(revoked)
    expect(frames).toEqual([])
    expect(kinds()).not.toContain('accepted')
    expect([guard.connections.size, seen]).toEqual([0, []])
  })
})

describe('F06 a credential that was issued before the revocation', () => {
  // In the middle of a second, because `iat` has whole ones.
  const half = 500
  const wholeSecond = (time: number) => Math.floor(time / second) * second
  const times: [string, (revokedAt: number) => number, boolean][] = [
    ['a minute before', (at) => wholeSecond(at) - 60_000, false],
    ['in the same second', (at) => wholeSecond(at), false],
    ['in the next second', (at) => wholeSecond(at) + second, true],
  ]

  it.each(times)('F06 opens no connection: %s', async (_, issued, good) => {
    const { clock, connect, guard, seen } = live()
    clock.advance(half)
    const at = clock.now()
    await guard.revoke({ user: 'ada' })
    clock.advance(10 * second)
    const attempt = connect({ issuedAt: issued(at), expiresAt: at + 60_000 })
    if (good) await attempt
    else await expect(attempt).rejects.toMatchObject({ status: 401 })
    expect(seen).toEqual(good ? ['handler ada'] : [])
  })

  it.each(times)('F06 renews none, in-band: %s', async (_, issued, good) => {
    const { clock, connect, guard } = live()
    clock.advance(half)
    const at = clock.now()
    await guard.revoke({ user: 'ada' })
    clock.advance(10 * second)
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + 30_000 }, 'message')
    const before = client.connection?.expiresAt
    const answer = await sendAuth(client, credentialOf({ issuedAt: issued(at), expiresAt: clock.now() + 90_000 }))
    expect(answer.type).toBe(good ? 'auth_ok' : 'auth_fail')
    // Older than what the connection has, so that it changes nothing even when it is good.
    expect(client.connection?.expiresAt).toBe(before)
    expect(guard.connections.size).toBe(1)
  })

  it.each(times)('F06 renews none, over HTTP: %s', async (_, issued, good) => {
    const { clock, connect, guard, renew } = live()
    clock.advance(half)
    const at = clock.now()
    await guard.revoke({ user: 'ada' })
    clock.advance(10 * second)
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + 30_000 })
    const { id } = client.connection!
    const stale = credentialOf({ issuedAt: issued(at), expiresAt: clock.now() + 90_000 })
    expect((await renew(stale, { connection: id })).status).toBe(good ? 200 : 401)
    expect(guard.connections.size).toBe(1)
  })

  it.each(times)(
    'F06 is good for no ticket, and neither is a ticket that it got before: %s',
    async (_, issued, good) => {
      const { clock, connect, guard, present, server, seen } = live()
      clock.advance(half)
      const at = clock.now()
      const credential = credentialOf({ issuedAt: issued(at), expiresAt: at + 60_000 })
      const ticket = await present(credential, 'ticket')
      await guard.revoke({ user: 'ada' })
      clock.advance(10 * second)
      // Also when the token says that it was issued later: it was there before.
      await expect(server.connect(ticket)).rejects.toMatchObject({ status: 401 })
      const headers = { Authorization: `Bearer ${credential}` }
      expect((await server.fetch('/ws/ticket', { method: 'POST', headers })).status).toBe(good ? 201 : 401)
      await connect({ id: 'eve', issuedAt: issued(at), expiresAt: at + 60_000 })
      expect(seen).toEqual(['handler eve'])
    },
  )
})

describe('F16 a revocation closes exactly what it names, and refuses exactly that from then on', () => {
  const minute = 60_000
  /** What everybody has; the times are counted from the start. */
  const population: Record<string, Claims> = {
    'ada, first login': { id: 'ada', session: 's1', token: 't1', issuedAt: 0 },
    'ada, the same login': { id: 'ada', session: 's1', token: 't2', issuedAt: minute },
    'ada, second login': { id: 'ada', session: 's2', token: 't3', issuedAt: 2 * minute },
    'ada of another issuer': { id: 'ada', issuer: 'i1', session: 's3', issuedAt: minute },
    'ada of a tenant': { id: 'ada', issuer: 'i1', tenant: 'n1', session: 's4', issuedAt: minute },
    'ada of another tenant': { id: 'ada', issuer: 'i1', tenant: 'n2', session: 's5', issuedAt: minute },
    eve: { id: 'eve', session: 's6', token: 't1', issuedAt: minute },
    'who is called like a session': { id: 's1', session: 'ada', token: 's2', issuedAt: 0 },
  }
  const names = Object.keys(population)
  const ofAda = names.filter((name) => name.startsWith('ada'))

  it.each<[RevocationTarget | ((start: number) => RevocationTarget), string[]]>([
    [{ user: 'ada' }, ofAda],
    [{ user: 'ada', issuer: 'i1' }, ofAda.slice(3)],
    [{ user: 'ada', tenant: 'n1' }, ['ada of a tenant']],
    [{ user: 'ada', issuer: 'i1', tenant: 'n2' }, ['ada of another tenant']],
    [{ user: 'ada', issuer: 'i2' }, []],
    [{ user: 'nobody' }, []],
    [{ session: 's1' }, ['ada, first login', 'ada, the same login']],
    [{ session: 'ada' }, ['who is called like a session']],
    [{ token: 't1' }, ['ada, first login', 'eve']],
    [{ token: 's2' }, ['who is called like a session']],
    ['all', names],
    [(start) => ({ issuedBefore: start }), ['ada, first login', 'who is called like a session']],
    [(start) => ({ issuedBefore: start + minute }), names.filter((name) => name !== 'ada, second login')],
    [(start) => ({ issuedBefore: start - 1 }), []],
    [(start) => ({ user: 'ada', issuedBefore: start }), ['ada, first login']],
    [(start) => ({ user: 'ada', issuer: 'i1', issuedBefore: start + minute }), ofAda.slice(3)],
  ])('F16 %j', async (named, expected) => {
    const { clock, connect, guard, seen } = live()
    const start = clock.now()
    clock.advance(3 * minute)
    const claimsOf = (name: string) => {
      const { issuedAt = 0, ...rest } = population[name]!
      return { ...rest, issuedAt: start + issuedAt, expiresAt: start + 60 * minute }
    }
    const clients = new Map<string, Awaited<ReturnType<typeof connect>>>()
    for (const name of names) clients.set(name, await connect(claimsOf(name)))
    expect(await guard.revoke(typeof named === 'function' ? named(start) : named)).toMatchObject({
      closed: expected.length,
    })
    for (const name of expected) expect(await clients.get(name)?.closed, name).toEqual(revoked)
    for (const name of names) {
      if (expected.includes(name)) {
        await expect(connect(claimsOf(name)), name).rejects.toMatchObject({ status: 401 })
      } else {
        const client = clients.get(name)!
        client.send(`${name} is here`)
        expect(await client.receive()).toBe(`echo ${name} is here`)
        seen.length = 0
        await connect(claimsOf(name))
        expect(seen, name).toHaveLength(1)
      }
    }
  })

  it('F16 one connection, whose credential stays good', async () => {
    const { connect, guard } = live()
    const [one, other] = [await connect({ session: 's1' }), await connect({ session: 's1' })]
    expect(await guard.revoke({ connection: one.connection!.id })).toMatchObject({ closed: 1 })
    expect(await one.closed).toEqual(revoked)
    other.send('still here')
    expect(await other.receive()).toBe('echo still here')
    expect(await guard.revoke({ connection: one.connection!.id })).toMatchObject({ closed: 0 })
    await connect({ session: 's1' })
    expect(guard.connections.size).toBe(2)
  })

  it('F16 whoever a ban names that ends in the future, until then', async () => {
    const { connect, guard, clock } = live({ life: { revocationMemory: minute } })
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + minute })
    const week = 7 * 24 * 60 * minute
    expect(await guard.revoke({ user: 'ada', issuedBefore: clock.now() + week })).toMatchObject({ closed: 1 })
    expect(await client.closed).toEqual(revoked)
    clock.advance(week - second)
    await guard.revoke({ user: 'somebody' })
    const fresh = () => ({ issuedAt: clock.now(), expiresAt: clock.now() + minute })
    await expect(connect(fresh())).rejects.toMatchObject({ status: 401 })
    clock.advance(2 * second)
    await connect(fresh())
    expect(guard.connections.size).toBe(1)
  })

  it('F16 nobody when the time is none, and says so', async () => {
    const { connect, guard } = live()
    await connect()
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const target of [{ issuedBefore: time }, { user: 'ada', issuedBefore: time }]) {
        await expect(guard.revoke(target)).rejects.toThrow(TypeError)
      }
    }
    expect(guard.connections.size).toBe(1)
  })
})
