import {
  type Accept,
  createGuard,
  firstMessage,
  type Guard,
  type GuardEvent,
  header,
  type Identity,
  type RevocationTarget,
  rejected,
  type Verifier,
} from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import type { LiveConnection } from '../../../src/connections/live-connection.js'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { testClock } from '../../support/clock.js'
import { deferred, microtasks, nextTurn } from '../../support/deferred.js'
import { allMethods, verifyGood } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { held } from '../../support/held.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../../support/raw.js'
import { startServer } from '../../support/server.js'
import { fakeTransport, texts } from '../../support/transport.js'

const authorized = { Authorization: 'Bearer good-ada' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })
const revoked = { code: 4010, reason: 'Revoked' }

function setUp(verify: Verifier<Identity> = verifyGood) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(verify), clock })
  const connections = liveConnections(guard)
  const events: string[] = []
  guard.subscribe((event) => events.push(event.type === 'refused' ? `refused ${event.reason}` : event.type))

  function open(accept: Partial<Accept> & Pick<Accept, 'identity'>, target = '/ws') {
    const transport = fakeTransport()
    const full: Accept = { type: 'accept', method: 'header', issuedAt: clock.now(), vouchedAt: clock.now(), ...accept }
    const connection = connections.open(full, handshake({ target }), transport)
    return { transport, connection: connection! }
  }
  return { clock, guard, connections, events, open }
}

describe('the registry', () => {
  it('holds a connection from its accept to its end', () => {
    const { connections, open, events } = setUp()
    const { connection, transport } = open({ identity: { id: 'ada' } })
    expect(connection.id).toMatch(/^[\w-]{22}$/)
    expect(connections.get(connection.id)).toBe(connection)
    expect([...connections]).toEqual([connection])
    expect(connections.size).toBe(1)
    transport.drop()
    expect(connections.get(connection.id)).toBeUndefined()
    expect([...connections]).toEqual([])
    expect(connections.size).toBe(0)
    expect(events).toEqual(['accepted', 'closed'])
  })

  it('gives every connection an id of its own', () => {
    const { open } = setUp()
    const ids = Array.from({ length: 100 }, () => open({ identity: { id: 'ada' } }).connection.id)
    expect(new Set(ids).size).toBe(100)
  })

  it('tells of a connection what the application may know', () => {
    const { open, clock } = setUp()
    const expiresAt = clock.now() + 7
    const { connection } = open(
      { identity: { id: 'ada' }, session: 's1', token: 't1', expiresAt, protocol: 'app.v1', method: 'query' },
      '/ws?token=secret&room=1&Ticket=secret&ticket[]=secret',
    )
    expect(connection).toMatchObject({
      identity: { id: 'ada' },
      method: 'query',
      since: clock.now(),
      expiresAt,
      session: 's1',
      token: 't1',
      protocol: 'app.v1',
      path: '/ws',
      origin: undefined,
      address: '192.0.2.1',
    })
    expect(connection.query.toString()).toBe('room=1')
  })

  it('may be changed while it is gone through', () => {
    const { open, connections } = setUp()
    const opened = Array.from({ length: 5 }, () => open({ identity: { id: 'ada' } }))
    for (const connection of connections) {
      opened.find((entry) => entry.connection === connection)?.transport.drop()
    }
    expect(connections.size).toBe(0)
  })

  it('holds nothing of a socket that is closed already', () => {
    const { connections, clock } = setUp()
    const transport = fakeTransport()
    transport.drop()
    const accept: Accept = { type: 'accept', method: 'header', identity: { id: 'ada' }, vouchedAt: clock.now() }
    connections.open(accept, handshake(), transport)
    expect(connections.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('revoke', () => {
  const population: (Partial<Accept> & Pick<Accept, 'identity'>)[] = [
    { identity: { id: 'ada' }, session: 's1', token: 't1' },
    { identity: { id: 'ada' }, session: 's1', token: 't2' },
    { identity: { id: 'ada' }, session: 's2', token: 't3' },
    { identity: { id: 'ada', issuer: 'i1' } },
    { identity: { id: 'ada', issuer: 'i2', tenant: 'n1' } },
    { identity: { id: 'eve' }, session: 's3', token: 't1' },
    { identity: { id: 's1' }, session: 'ada' },
  ]

  it.each<[RevocationTarget, number[]]>([
    [{ user: 'ada' }, [0, 1, 2, 3, 4]],
    [{ user: 'ada', issuer: 'i1' }, [3]],
    [{ user: 'ada', issuer: 'i2' }, [4]],
    [{ user: 'ada', tenant: 'n1' }, [4]],
    [{ user: 'ada', issuer: 'i1', tenant: 'n1' }, []],
    [{ user: 'eve' }, [5]],
    [{ user: 'nobody' }, []],
    [{ session: 's1' }, [0, 1]],
    [{ session: 'ada' }, [6]],
    [{ token: 't1' }, [0, 5]],
    [{ token: 't3' }, [2]],
    [{ connection: 'nobody' }, []],
  ])('F16 closes exactly what it names: %j', async (target, expected) => {
    const { guard, open, clock } = setUp()
    const opened = population.map((accept) => open(accept))
    expect(await guard.revoke(target)).toMatchObject({ closed: expected.length })
    const closed = opened.flatMap(({ transport }, i) => (transport.calls.length > 0 ? [i] : []))
    expect(closed).toEqual(expected)
    for (const i of expected) expect(opened[i]?.transport.calls).toEqual(['shut', 'close 4010 Revoked'])
    expect(guard.connections.size).toBe(population.length - expected.length)
    // One timer for each that is closing, and one for the deadlines of all the others.
    expect(clock.pending).toBe(expected.length + (guard.connections.size > 0 ? 1 : 0))
  })

  it('closes one connection by its id, and refuses nobody', async () => {
    const { guard, open } = setUp()
    const [one, other] = [
      open({ identity: { id: 'ada' }, session: 's1' }),
      open({ identity: { id: 'ada' }, session: 's1' }),
    ]
    expect(await guard.revoke({ connection: one.connection.id })).toMatchObject({ closed: 1 })
    expect(one.transport.calls).toEqual(['shut', 'close 4010 Revoked'])
    expect(other.transport.calls).toEqual([])
    expect((await guard.decide(handshake({ headers: [['authorization', 'Bearer good-ada']] }))).type).toBe('accept')
  })

  it('tells of each end once, and of the close when the socket is gone', async () => {
    const { guard, open, events } = setUp()
    const { transport } = open({ identity: { id: 'ada' } })
    await guard.revoke({ user: 'ada' })
    await guard.revoke({ user: 'ada' })
    expect(events).toEqual(['accepted', 'ended'])
    transport.drop()
    expect(events).toEqual(['accepted', 'ended', 'closed'])
  })

  it('terminates a second later, and leaves no timer of who has left before', async () => {
    const { guard, open, clock } = setUp()
    const [stubborn, polite] = [open({ identity: { id: 'ada' } }), open({ identity: { id: 'ada' } })]
    await guard.revoke({ user: 'ada' })
    polite.transport.drop()
    expect(clock.pending).toBe(1)
    clock.advance(1_000)
    expect(polite.transport.calls).not.toContain('terminate')
    expect(stubborn.transport.calls.at(-1)).toBe('terminate')
    expect(clock.pending).toBe(0)
  })

  it.each<[string, RevocationTarget, string]>([
    ['its user', { user: 'ada' }, 'credential-revoked'],
    ['its session', { session: 's-ada' }, 'credential-revoked'],
    ['another user', { user: 'eve' }, 'accept'],
    ['another session', { session: 's-eve' }, 'accept'],
  ])('F02 refuses a credential from then on: of %s', async (_, target, expected) => {
    const { guard } = setUp(() => ({ identity: { id: 'ada' }, session: 's-ada', issuedAt: 0, lookedUpAt: 0 }))
    await guard.revoke(target)
    const verdict = await guard.decide(handshake({ headers: [['authorization', 'Bearer x']] }))
    expect(verdict.type === 'refuse' ? verdict.reason : verdict.type).toBe(expected)
  })

  it('F06 refuses a user only what was issued until then, the same moment included', async () => {
    let issuedAt: number | undefined
    const { guard, clock } = setUp(() => ({
      identity: { id: 'ada' },
      ...(issuedAt !== undefined && { issuedAt, expiresAt: issuedAt + 60_000 }),
    }))
    const at = clock.now()
    await guard.revoke({ user: 'ada' })
    clock.advance(10_000)
    const decide = async () => (await guard.decide(handshake({ headers: [['authorization', 'Bearer x']] }))).type
    issuedAt = at - 1
    expect(await decide()).toBe('refuse')
    issuedAt = at
    expect(await decide()).toBe('refuse')
    issuedAt = at + 1
    expect(await decide()).toBe('accept')
    issuedAt = undefined
    expect(await decide()).toBe('accept')
  })

  it('F15 remembers it for as long as a credential may live', async () => {
    const { guard, clock } = setUp(() => ({ identity: { id: 'ada' }, session: 's1', issuedAt: 0, lookedUpAt: 0 }))
    await guard.revoke({ session: 's1' })
    clock.advance(24 * 60 * 60 * 1_000)
    await guard.revoke({ session: 'other' })
    const verdict = await guard.decide(handshake({ headers: [['authorization', 'Bearer x']] }))
    expect(verdict).toMatchObject({ reason: 'credential-revoked' })
  })
})

describe('F03 a peer that does not go', () => {
  it('F03 gets nothing delivered after a revocation, and is terminated after a second', async () => {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const seen: string[] = []
    const { port } = await startServer(guard, (socket) => {
      socket.on('message', (data) => {
        seen.push(String(data))
        socket.send(`echo ${data}`)
      })
    })
    const { client } = await rawOpen(port, '/ws', authorized)
    client.write(rawFrame('before'))
    await client.textsUntil(1)
    expect(await guard.revoke({ user: 'ada' })).toMatchObject({ closed: 1 })
    for (let i = 0; i < 50; i++) client.write(rawFrame(`after ${i}`))
    expect(await client.closeFrame()).toEqual(revoked)
    // By the time the server has answered somebody else, it has read what came before.
    await rawOpen(port, '/ws', { Authorization: 'Bearer good-eve' })
    clock.advance(999)
    client.write(rawFrame('still there'))
    await rawOpen(port, '/ws', { Authorization: 'Bearer good-eve' })
    expect(client.socket.destroyed).toBe(false)
    clock.advance(1)
    await client.gone()
    expect(seen).toEqual(['before'])
    expect(client.texts()).toEqual(['echo before'])
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['eve', 'eve'])
  })

  it.each([
    ['ada', []],
    ['eve', ['kept']],
  ])('F03 gets nothing delivered that was kept for its handler, after a revocation of %s', async (user, expected) => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const [called, ready, listening] = [deferred(), deferred(), deferred()]
    const seen: string[] = []
    const { port } = await startServer(guard, async (socket, { identity }) => {
      if (identity.id !== 'ada') return
      called.resolve()
      await ready.promise
      socket.on('message', (data) => seen.push(String(data)))
      listening.resolve()
    })
    const client = await RawClient.connect(port)
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), rawFrame('kept')]))
    await called.promise
    // By the time the server has answered somebody else, it has read what came.
    await rawOpen(port, '/ws', { Authorization: 'Bearer good-other' })
    await guard.revoke({ user })
    ready.resolve()
    await listening.promise
    await nextTurn()
    expect(seen).toEqual(expected)
  })

  it.each([
    ['ada', []],
    ['eve', ['asked']],
  ])('F20 gets nothing delivered whose permission comes after a revocation of %s', async (user, expected) => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const [asked, permitted] = [deferred(), deferred<boolean>()]
    const seen: string[] = []
    const authorize = () => {
      asked.resolve()
      return permitted.promise
    }
    const { port } = await startServer(
      guard,
      (socket) => {
        socket.on('message', (data) => seen.push(String(data)))
      },
      { authorize },
    )
    const { client } = await rawOpen(port, '/ws', authorized)
    client.write(rawFrame('asked'))
    await asked.promise
    await guard.revoke({ user })
    permitted.resolve(true)
    await nextTurn()
    expect(seen).toEqual(expected)
  })

  it('F04 is sent nothing after a revocation', async () => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const handed = deferred<{ send(text: string): void }>()
    const { port } = await startServer(guard, handed.resolve)
    const { client } = await rawOpen(port, '/ws', authorized)
    const socket = await handed.promise
    socket.send('before')
    await guard.revoke({ user: 'ada' })
    socket.send('after')
    await client.closeFrame()
    expect(client.frames().map(({ opcode }) => opcode)).toEqual([1, 8])
  })

  it('F03 is gone as soon as it answers the Close, whatever its handler waits for', async () => {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const { port, idle } = await startServer(guard, () => new Promise(() => {}))
    const { client } = await rawOpen(port, '/ws', authorized)
    await guard.revoke({ user: 'ada' })
    await client.closeFrame()
    client.write(rawFrame(Buffer.from([0x0f, 0xaa]), { opcode: 8 }))
    await client.gone()
    client.destroy()
    await idle()
    expect(clock.pending).toBe(0)
  }, 3_000)
})

describe('F05 a revocation that races', () => {
  const turns = Array.from({ length: 40 }, (_, i) => i)
  const targets: [string, RevocationTarget][] = [
    ['of the user', { user: 'ada' }],
    ['of the session', { session: 's-ada' }],
    ['of the token', { token: 't-ada' }],
  ]
  const verify: Verifier<Identity> = (_, { now }) => ({
    identity: { id: 'ada' },
    session: 's-ada',
    token: 't-ada',
    issuedAt: now,
  })

  it.each(targets)('F05 a handshake wins, at every point: %s', async (_, target) => {
    for (const turn of turns) {
      const { verify: heldVerify, asked, release } = held(verify)
      const guard = createGuard({ accept: [header({ verify: heldVerify })], clock: testClock() })
      const seen: string[] = []
      const { port } = await startServer(guard, () => {
        seen.push('handler')
      })
      const client = await RawClient.connect(port)
      client.write(rawHandshake('/ws', authorized))
      await asked
      release()
      await microtasks(turn)
      seen.push('revoked')
      await guard.revoke(target)
      const { status } = await client.head()
      if (status === 101) expect(await client.closeFrame()).toEqual(revoked)
      else expect(status).toBe(401)
      expect(guard.connections.size).toBe(0)
      expect(seen.at(-1), `after ${turn} microtasks`).toBe('revoked')
      client.destroy()
    }
  })

  it.each(targets)('F05 a first message wins, at every point: %s', async (_, target) => {
    for (const turn of turns) {
      const { verify: heldVerify, asked, release } = held(verify)
      const guard = createGuard({ accept: [firstMessage({ verify: heldVerify })], clock: testClock() })
      const transport = fakeTransport()
      const opened: string[] = []
      const first = liveConnections(guard).undecided.wait<string>(
        { type: 'await', timeout: 5_000, maxBytes: 8_192 },
        { handshake: handshake(), transport, wire: texts, onDecided() {}, onOpen: () => opened.push('open') },
      )
      first.receive(auth('x'))
      await asked
      release()
      await microtasks(turn)
      const wasOpen = opened.length > 0
      await guard.revoke(target)
      await nextTurn()
      expect(opened.length > 0, `after ${turn} microtasks`).toBe(wasOpen)
      expect(guard.connections.size).toBe(0)
      expect(transport.calls).toContain('shut')
      const overtaken = opened.length === 0
      expect(transport.calls.some((call) => call.includes('auth_ok'))).toBe(!overtaken)
    }
  })

  it('F05 a first message is read again when it is closed, so that the peer may answer', async () => {
    for (const turn of turns) {
      const { verify: heldVerify, asked, release } = held(verify)
      const guard = createGuard({ accept: [firstMessage({ verify: heldVerify })], clock: testClock() })
      const transport = fakeTransport()
      const first = liveConnections(guard).undecided.wait<string>(
        { type: 'await', timeout: 5_000, maxBytes: 8_192 },
        // As adapters do when they deliver.
        { handshake: handshake(), transport, wire: texts, onDecided() {}, onOpen: () => transport.resume?.() },
      )
      first.receive(auth('x'))
      first.count(100_000)
      await asked
      release()
      await microtasks(turn)
      await guard.revoke({ user: 'ada' })
      await nextTurn()
      expect(transport.isReading, `after ${turn} microtasks`).toBe(true)
    }
  })

  it('F05 a renewal wins, at every point', async () => {
    for (const turn of turns) {
      const again = held((credential) => ({ identity: { id: 'ada' }, session: credential }))
      const clock = testClock()
      const guard = createGuard({
        accept: [
          firstMessage({
            verify: (credential, context) =>
              credential === 's1' ? { identity: { id: 'ada' }, session: 's1' } : again.verify(credential, context),
          }),
        ],
        clock,
      })
      const { transport, connection } = await acceptByMessage(guard, 's1')
      liveConnections(guard).renewals.receive(connection, auth('s2'))
      await again.asked
      again.release()
      await microtasks(turn)
      await guard.revoke({ session: 's2' })
      await nextTurn()
      const sessions = [...guard.connections].map(({ session }) => session)
      expect(sessions, `after ${turn} microtasks`).not.toContain('s2')
      if (sessions.length === 0) expect(transport.calls).toContain('close 4010 Revoked')
    }
  })
})

/** Lets a connection authenticate by first message. */
async function acceptByMessage(guard: Guard<Identity>, token: string) {
  const transport = fakeTransport()
  const opened = deferred<LiveConnection<Identity>>()
  const first = liveConnections(guard).undecided.wait<string>(
    { type: 'await', timeout: 5_000, maxBytes: 8_192 },
    { handshake: handshake(), transport, wire: texts, onDecided() {}, onOpen: opened.resolve },
  )
  first.receive(auth(token))
  const connection = await opened.promise
  return { transport, connection }
}

describe('renewal', () => {
  const verify: Verifier<Identity> = (credential, { now }) => {
    const [id, session, life] = credential.split(':')
    if (!id) return rejected('credential-unknown')
    return {
      identity: { id },
      issuedAt: now,
      ...(session && { session }),
      ...(life && { expiresAt: now + Number(life) }),
    }
  }

  async function renewed(...tokens: string[]) {
    const { guard, clock, events } = setUp(verify)
    const { transport, connection } = await acceptByMessage(guard, 'ada:s1:60000')
    transport.calls.length = 0
    events.length = 0
    clock.advance(1_500)
    for (const token of tokens) {
      expect(liveConnections(guard).renewals.receive(connection, auth(token))).toBe(true)
      await nextTurn()
    }
    return { guard, clock, events, transport, connection }
  }

  it('lets the connection live as long as the new credential', async () => {
    const { connection, transport, events, clock } = await renewed('ada:s1:90000')
    expect(connection.expiresAt).toBe(clock.now() + 90_000)
    expect(transport.calls).toEqual([
      `send {"type":"auth_ok","userId":"ada","connection":"${connection.id}","expiresIn":90}`,
    ])
    expect(events).toEqual(['renewed'])
  })

  it('tells whole seconds, rounded down, and none when there is no end', async () => {
    const { transport } = await renewed('ada:s1:1999', 'ada:s1')
    expect(transport.calls.map((call) => JSON.parse(call.slice(5)).expiresIn)).toEqual([1, undefined])
  })

  it('is found by the new session, and no more by the old one', async () => {
    const { guard, transport } = await renewed('ada:s2:60000')
    expect(await guard.revoke({ session: 's1' })).toMatchObject({ closed: 0 })
    expect(await guard.revoke({ session: 's2' })).toMatchObject({ closed: 1 })
    expect(transport.calls.at(-1)).toBe('close 4010 Revoked')
    expect(guard.connections.size).toBe(0)
  })

  it('keeps what it had when the new credential is bad', async () => {
    const { guard, connection, transport, events } = await renewed('')
    expect(transport.calls).toEqual(['send {"type":"auth_fail"}'])
    expect(events).toEqual(['refused credential-malformed'])
    expect(guard.connections.get(connection.id)).toBe(connection)
  })

  it('ends it for another identity', async () => {
    const { guard, transport, events } = await renewed('eve:s1:60000')
    expect(transport.calls).toEqual(['shut', 'close 4003 Forbidden'])
    expect(events).toEqual(['ended'])
    expect(guard.connections.size).toBe(0)
  })

  it('is nothing to a connection that has ended meanwhile', async () => {
    const again = held(verify)
    let first = true
    const { guard, events } = setUp((credential, context) => {
      if (!first) return again.verify(credential, context)
      first = false
      return verify(credential, context)
    })
    const { transport, connection } = await acceptByMessage(guard, 'ada:s1:60000')
    liveConnections(guard).renewals.receive(connection, auth('ada:s1:90000'))
    await again.asked
    transport.drop()
    again.release()
    await nextTurn()
    expect(guard.connections.size).toBe(0)
    expect(events).toEqual(['accepted', 'closed'])
    expect(liveConnections(guard).renewals.receive(connection, auth('ada:s1:90000'))).toBe(true)
    expect(again.calls).toBe(1)
  })

  it('passes everything else on to the application', async () => {
    const { guard, connection } = await renewed()
    for (const text of ['', 'hello', '"auth"', '{"type":"author"}', '{"auth":"auth"}']) {
      expect(liveConnections(guard).renewals.receive(connection, text)).toBe(false)
    }
  })
})

describe('end', () => {
  it('closes with 1011, once, and tells why', () => {
    const { connections, guard, open } = setUp()
    const ended: GuardEvent[] = []
    guard.subscribe((event) => event.type === 'ended' && ended.push(event))
    const { connection, transport } = open({ identity: { id: 'ada' } })
    const error = new Error('handler bug')
    connections.end(connection, 'internal', { error })
    connections.end(connection, 'internal', { error })
    expect(transport.calls).toEqual(['shut', 'close 1011 Internal error'])
    expect(ended).toEqual([{ type: 'ended', connection, code: 'internal', error }])
  })
})
