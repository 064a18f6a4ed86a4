import { type Accept, type Clock, createGuard } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { converseIn, plain } from '../../src/dialects/plain.js'
import { testClock } from '../support/clock.js'
import { deferred } from '../support/deferred.js'
import { allMethods } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { authFrame, credentialOf, live, sendAuth, settled, ways } from '../support/live.js'
import { rawFrame, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'
import { fakeTransport } from '../support/transport.js'

const expired = { code: 4019, reason: 'Credential expired' }
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

// Half a second past a whole one: between the end and the next look of the timer, only the gate itself can be what holds.
const life = 10_500
const leeway = 5_000

describe.each(ways)('F01 a credential that came by %s', (way) => {
  async function open() {
    const set = live()
    const client = await set.connect({ issuedAt: set.clock.now(), expiresAt: set.clock.now() + life }, way)
    return { ...set, client, socket: set.sockets[0]! }
  }

  it('F01 lets messages cross, both ways, until it has ended and the leeway is over', async () => {
    const { client, socket, clock, guard } = await open()
    clock.advance(life + leeway - 1)
    client.send('to the server')
    let text = await client.receive()
    while (!String(text).startsWith('echo')) text = await client.receive()
    expect(text).toBe('echo to the server')
    socket.send('to the client')
    expect(await client.receive()).toBe('to the client')
    expect(guard.connections.size).toBe(1)
  })

  it('F01 lets none cross to the server after that, before any timer', async () => {
    const { client, clock, seen, guard } = await open()
    clock.advance(life + leeway)
    expect(guard.connections.size).toBe(1)
    client.send('late')
    expect(await client.closed).toEqual(expired)
    expect(seen).toEqual(['handler ada'])
    expect(guard.connections.size).toBe(0)
  })

  it('F01 nor to the client', async () => {
    const { client, socket, clock } = await open()
    clock.advance(life + leeway)
    const received: string[] = []
    client.socket.on('message', (data) => received.push(String(data)))
    socket.send('late')
    expect(await client.closed).toEqual(expired)
    expect(received.filter((text) => text === 'late')).toEqual([])
  })

  it('F01 and closes by itself, a second later at most', async () => {
    const { client, clock, kinds, guard } = await open()
    clock.advance(life + leeway + second)
    expect(await client.closed).toEqual(expired)
    expect(kinds()).toEqual(['accepted', 'ended', 'closed'])
    expect(guard.connections.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('F01 auth_expiring', () => {
  const notices = async (way: 'message' | 'header', ms: number) => {
    const set = live()
    const start = set.clock.now()
    const client = await set.connect({ issuedAt: start, expiresAt: start + ms }, way)
    const notices: { readonly at: number; readonly expiresIn: number }[] = []
    client.socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { type: string; expiresIn: number }
      if (frame.type === 'auth_expiring') notices.push({ at: set.clock.now() - start, expiresIn: frame.expiresIn })
    })
    return { ...set, client, notices, start }
  }

  it('F01 comes once, a minute before the end or somewhat later, and tells the seconds that are left', async () => {
    const { clock, notices: told, client } = await notices('message', 10 * minute)
    clock.advance(9 * minute - 1)
    await settled(client)
    expect(told).toEqual([])
    clock.advance(minute / 4 + second)
    await settled(client)
    const [notice] = told
    expect(notice?.expiresIn).toBe(Math.floor((10 * minute - notice!.at) / second))
    clock.advance(minute)
    expect(await client.closed).toEqual(expired)
    expect(told).toHaveLength(1)
  })

  it('F01 comes in the second half of a short life', async () => {
    const { clock, notices: told, client } = await notices('message', 20 * second)
    clock.advance(10 * second - 1)
    await settled(client)
    expect(told).toEqual([])
    clock.advance(10 * second)
    await settled(client)
    expect(told).toHaveLength(1)
  })

  it('F01 is not sent to who does not speak the frames', async () => {
    const { clock, notices: told, client } = await notices('header', 10 * minute)
    clock.advance(11 * minute)
    expect(await client.closed).toEqual(expired)
    expect(told).toEqual([])
  })

  it('F01 comes again before the end of the credential that renewed it, and not before', async () => {
    const { clock, notices: told, client, start, guard } = await notices('message', 10 * minute)
    clock.advance(9 * minute + minute / 4 + second)
    await settled(client)
    expect(told).toHaveLength(1)
    await sendAuth(client, credentialOf({ issuedAt: clock.now(), expiresAt: start + 30 * minute }))
    clock.advance(29 * minute - (clock.now() - start) - 1)
    await settled(client)
    expect(told).toHaveLength(1)
    clock.advance(minute / 4 + second)
    await settled(client)
    expect(told).toHaveLength(2)
    expect(guard.connections.size).toBe(1)
  })

  it('F01 is spread, so that what was issued together is not renewed together', async () => {
    const clock = testClock()
    let next = 0
    const guard = createGuard({
      ...allMethods(),
      clock,
      // Every value of a byte in turn.
      random: (bytes) => Uint8Array.from({ length: bytes }, () => next++ & 255),
    })
    const times: number[] = []
    const start = clock.now()
    for (let i = 0; i < 256; i++) {
      const transport = fakeTransport()
      transport.send = () => void times.push(clock.now() - start)
      const accept: Accept = {
        type: 'accept',
        method: 'message',
        identity: { id: 'ada' },
        issuedAt: start,
        vouchedAt: start,
        expiresAt: start + hour,
      }
      liveConnections(guard).open(accept, handshake(), transport, converseIn(plain))
    }
    clock.advance(hour)
    expect(times).toHaveLength(256)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(hour - minute)
    expect(Math.max(...times)).toBeLessThanOrEqual(hour - (minute * 3) / 4 + second)
    expect(new Set(times).size).toBeGreaterThan(10)
  })
})

describe('F01 what has ended before it was registered', () => {
  it.each([
    ['in good time', 5_001, 'accepted'],
    ['too late', 5_000, 'expired'],
  ])('F01 is never the application`s: %s', async (_, left, expected) => {
    const { server, seen, present, clock, guard, kinds } = live({
      // Verification takes five seconds of the credential's life.
      verify: async () => {
        clock.advance(5_000)
        return { identity: { id: 'ada' }, issuedAt: clock.now(), expiresAt: clock.now() - 10_000 + left }
      },
      verifyTimeout: minute,
    })
    const client = await server.connect(await present('any', 'header'))
    await settled(client)
    if (expected === 'expired') expect(await client.closed).toEqual(expired)
    expect(seen).toEqual(expected === 'accepted' ? ['handler ada'] : [])
    expect(kinds()[0]).toBe(expected === 'accepted' ? 'accepted' : 'ended')
    expect(guard.connections.size).toBe(expected === 'accepted' ? 1 : 0)
  })
})

describe('F08 an end of any size', () => {
  /** A clock that can be set, as a machine's is that was suspended, and that knows what timers can do. */
  function machine() {
    const clock = testClock()
    let offset = 0
    const strict: Clock = {
      now: () => clock.now() + offset,
      after(ms, callback) {
        // Node.js fires a timer at once whose time is no number, or does not fit in 31 bits.
        if (!(ms >= 0 && ms < 2 ** 31)) throw new RangeError(`a timer of ${ms} ms fires at once`)
        return clock.after(ms, callback)
      },
    }
    return { clock: strict, advance: clock.advance, set: (ms: number) => (offset += ms) }
  }

  function openFor(expiresAt: ((now: number) => number) | undefined) {
    const { clock, advance, set } = machine()
    const life = { maxAge: 90 * day, revocationMemory: 90 * day }
    const guard = createGuard({ ...allMethods(), clock, life })
    const transport = fakeTransport()
    const now = clock.now()
    const accept: Accept = {
      type: 'accept',
      method: 'message',
      identity: { id: 'ada' },
      vouchedAt: now,
      ...(expiresAt && { expiresAt: expiresAt(now) }),
    }
    liveConnections(guard).open(accept, handshake(), transport)
    const closes = () => transport.calls.filter((call) => call.startsWith('close'))
    return { guard, advance, set, closes }
  }

  it.each<[string, ((now: number) => number) | undefined, number]>([
    ['30 days', (now) => now + 30 * day, 30 * day + leeway],
    ['one more millisecond than a timer can wait', (now) => now + 2 ** 31, 2 ** 31 + leeway],
    ['1e300', () => 1e300, 90 * day],
    ['no end', undefined, 90 * day],
  ])('F08 %s: closes when it is time, and not before', (_, expiresAt, end) => {
    const { advance, set, closes } = openFor(expiresAt)
    advance(10 * second)
    expect(closes()).toEqual([])
    set(end - 10 * second - second)
    advance(second - 1)
    expect(closes()).toEqual([])
    advance(second + 1)
    expect(closes()).toEqual(['close 4019 Credential expired'])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'F08 %d is a fault of the verifier, and accepts nobody',
    async (expiresAt) => {
      const { connect, server, present, seen, guard, reasons } = live({
        verify: (credential) => ({ identity: { id: 'ada' }, ...(credential === 'odd' && { expiresAt }) }),
      })
      await expect(server.connect(await present('odd', 'header'))).rejects.toMatchObject({ status: 500 })
      expect(reasons()).toEqual(['internal-error'])
      expect(guard.connections.size).toBe(0)
      await connect('fine')
      expect(seen).toEqual(['handler ada'])
    },
  )

  it('F08 an end in the past accepts nobody, whatever the verifier thinks of it', async () => {
    const { connect, clock, seen, guard } = live()
    const client = await connect({ expiresAt: clock.now() - leeway })
    expect(await client.closed).toEqual(expired)
    expect(seen).toEqual([])
    await connect({ expiresAt: clock.now() - leeway + 1 })
    expect(seen).toEqual(['handler ada'])
    expect(guard.connections.size).toBe(1)
  })
})

describe('F09 a timer that did not fire', () => {
  /** A server whose clock stops ticking, as that of a process that is suspended, while time goes on. */
  async function suspended() {
    const clock = testClock()
    let asleep = 0
    const guard = createGuard({ ...allMethods(), clock: { now: () => clock.now() + asleep, after: clock.after } })
    const seen: string[] = []
    const { port } = await startServer(guard, (socket) => {
      socket.on('message', (data) => {
        seen.push(String(data))
        socket.send(`echo ${data}`)
      })
    })
    const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
    const sleep = (ms: number) => {
      asleep += ms
    }
    return { clock, sleep, seen, client, guard }
  }

  it('F09 does not keep the gate open for what was sent meanwhile', async () => {
    const { client, sleep, seen } = await suspended()
    client.write(rawFrame('in time'))
    expect(await client.textsUntil(1)).toEqual(['echo in time'])
    sleep(minute + leeway)
    client.write(rawFrame('late'))
    expect(await client.closeFrame()).toEqual(expired)
    expect(seen).toEqual(['in time'])
  })

  it('F09 and the next one that does closes who is silent', async () => {
    const { client, sleep, clock, guard } = await suspended()
    sleep(hour)
    expect(guard.connections.size).toBe(1)
    clock.advance(second)
    expect(await client.closeFrame()).toEqual(expired)
  })
})

describe('F13 a connection that is renewed again and again', () => {
  it('F13 ends after a day', async () => {
    const { connect, clock, guard } = live()
    const claims = () => ({ issuedAt: clock.now(), expiresAt: clock.now() + hour })
    const client = await connect(claims(), 'message')
    for (let hours = 1; hours < 48; hours++) {
      clock.advance(30 * minute)
      expect(await sendAuth(client, credentialOf(claims()))).toMatchObject({
        type: 'auth_ok',
        // From 23 hours on it is told what is left of the day, not of the credential.
        expiresIn: Math.min(3600, 24 * 3600 - hours * 1800),
      })
    }
    clock.advance(30 * minute - 1)
    expect(guard.connections.size).toBe(1)
    clock.advance(1)
    expect(await client.closed).toEqual(expired)
  })

  it.each(['message', 'header'] as const)(
    'F13 ends when it is told, in silence too, however far away its credential ends: by %s',
    async (way) => {
      const { connect, clock, guard } = live({ life: { maxAge: 2 * hour, revocationMemory: 60 * day } })
      const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + 30 * day }, way)
      clock.advance(2 * hour - 1)
      expect(guard.connections.size).toBe(1)
      clock.advance(1)
      expect(await client.closed).toEqual(expired)
    },
  )

  it('F13 ends in the middle of a credential that renewed it', async () => {
    const { connect, clock, guard } = live()
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + 12 * hour }, 'message')
    clock.advance(11 * hour)
    await sendAuth(client, credentialOf({ issuedAt: clock.now(), expiresAt: clock.now() + 20 * hour }))
    clock.advance(13 * hour - 1)
    expect(guard.connections.size).toBe(1)
    clock.advance(1)
    expect(await client.closed).toEqual(expired)
    expect(clock.pending).toBe(0)
  })
})

describe('F14 there is no grace behind the end and its leeway', () => {
  async function open() {
    const set = live()
    const client = await set.connect({ issuedAt: set.clock.now(), expiresAt: set.clock.now() + life }, 'message')
    return {
      ...set,
      client,
      fresh: () => credentialOf({ issuedAt: set.clock.now(), expiresAt: set.clock.now() + hour }),
    }
  }

  it('F14 for a renewal that comes a moment before', async () => {
    const { client, clock, fresh, guard } = await open()
    clock.advance(life + leeway - 1)
    expect(await sendAuth(client, fresh())).toMatchObject({ type: 'auth_ok', expiresIn: 3600 })
    clock.advance(minute)
    expect(guard.connections.size).toBe(1)
  })

  it.each([
    ['a renewal', (fresh: string) => [authFrame(fresh)]],
    ['a command', () => ['command']],
    ['a command behind a renewal', (fresh: string) => [authFrame(fresh), 'command']],
  ])('F14 for %s', async (_, messages) => {
    const { client, clock, fresh, guard, seen, kinds } = await open()
    clock.advance(life + leeway)
    for (const message of messages(fresh())) client.send(message)
    expect(await client.closed).toEqual(expired)
    expect(seen).toEqual(['handler ada'])
    expect(kinds()).not.toContain('renewed')
    expect(guard.connections.size).toBe(0)
  })

  it('F14 for a renewal over HTTP', async () => {
    const { client, clock, fresh, guard, renew } = await open()
    const [connection] = guard.connections
    clock.advance(life + leeway)
    expect((await renew(fresh(), { connection: connection!.id })).status).toBe(404)
    expect(await client.closed).toEqual(expired)
  })

  it('F14 for a renewal whose verification takes too long', async () => {
    let late = false
    const { connect, clock, seen } = live({
      verify: async () => {
        if (late) clock.advance(life + leeway)
        return { identity: { id: 'ada' }, issuedAt: clock.now(), expiresAt: clock.now() + life }
      },
      verifyTimeout: hour,
    })
    const client = await connect('any', 'message')
    late = true
    client.send(authFrame('again'))
    expect(await client.closed).toEqual(expired)
    expect(seen).toEqual(['handler ada'])
  })
})

describe('F10 what an identity may do', () => {
  const roleGuard = () =>
    live({
      server: {
        authorize: ({ identity }) =>
          (identity as { role?: string }).role === 'admin' || JSON.stringify({ error: 'not allowed' }),
      },
    })

  it('F10 changes with the renewal that says so, at the next message', async () => {
    const { connect, clock, seen } = roleGuard()
    const claims = (role: string) => ({ role, issuedAt: clock.now(), expiresAt: clock.now() + hour })
    const client = await connect(claims('admin'), 'message')
    client.send('one')
    expect(await client.receive()).toBe('echo one')
    clock.advance(second)
    await sendAuth(client, credentialOf(claims('reader')))
    client.send('two')
    expect(await client.receive()).toBe('{"error":"not allowed"}')
    expect(client.connection?.identity).toEqual({ id: 'ada', role: 'reader' })
    clock.advance(second)
    await sendAuth(client, credentialOf(claims('admin')))
    client.send('three')
    expect(await client.receive()).toBe('echo three')
    expect(seen).toEqual(['handler ada', 'one', 'three'])
  })

  it('F10 is asked when the message is executed, of whoever knows it then', async () => {
    const demoted = new Set<string>()
    const { connect, seen } = live({ server: { authorize: async ({ identity }) => !demoted.has(identity.id) } })
    const client = await connect()
    const other = await connect({ id: 'eve' })
    for (const one of [client, other]) {
      one.send('before')
      expect(await one.receive()).toBe('echo before')
    }
    demoted.add('ada')
    for (const one of [client, other]) one.send('after')
    expect(await other.receive()).toBe('echo after')
    await settled(client)
    expect(seen).toEqual(['handler ada', 'handler eve', 'before', 'before', 'after'])
  })
})

describe('F15 a revocation is remembered for as long as what it denies could live', () => {
  const memory = 2 * hour

  it('F15 also at the very end of the credential`s life', async () => {
    const { connect, clock, guard, reasons } = live({ life: { revocationMemory: memory } })
    const longest = { issuedAt: clock.now(), expiresAt: clock.now() + memory, session: 's1' }
    await guard.revoke({ session: 's1' })
    clock.advance(memory - 1)
    // Every new one is an occasion to forget the old ones.
    await guard.revoke({ session: 'other' })
    await expect(connect(longest)).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked'])
    await connect({ ...longest, session: 's2' })
    expect(guard.connections.size).toBe(1)
  })

  it('F15 and what lives longer than that is refused', async () => {
    const { connect, clock, guard, reasons } = live({ life: { revocationMemory: memory } })
    const issuedAt = clock.now()
    await expect(connect({ issuedAt, expiresAt: issuedAt + memory + 1 })).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-lifetime'])
    await connect({ issuedAt, expiresAt: issuedAt + memory })
    expect(guard.connections.size).toBe(1)
  })

  it('F15 also at a renewal and at a ticket', async () => {
    const { connect, clock, server, renew, guard } = live({ life: { revocationMemory: memory } })
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + hour, session: 's1' }, 'message')
    const tooLong = credentialOf({ issuedAt: clock.now(), expiresAt: clock.now() + memory + 1, session: 's1' })
    expect(await sendAuth(client, tooLong)).toEqual({ type: 'auth_fail' })
    expect((await renew(tooLong)).status).toBe(401)
    const headers = { Authorization: `Bearer ${tooLong}` }
    expect((await server.fetch('/ws/ticket', { method: 'POST', headers })).status).toBe(401)
    expect(guard.connections.size).toBe(1)
  })
})

describe('F20 a message that was taken in time', () => {
  it.each([
    ['is executed until the end', life + leeway - 1, true],
    ['is not executed behind it', life + leeway, false],
  ])('F20 %s', async (_, wait, executed) => {
    const [asked, permitted] = [deferred(), deferred<boolean>()]
    const { connect, clock, seen } = live({
      server: {
        authorize: () => {
          asked.resolve()
          return permitted.promise
        },
      },
    })
    const client = await connect({ issuedAt: clock.now(), expiresAt: clock.now() + life })
    client.send('command')
    await asked.promise
    clock.advance(wait)
    permitted.resolve(true)
    if (executed) expect(await client.receive()).toBe('echo command')
    else expect(await client.closed).toEqual(expired)
    expect(seen).toEqual(executed ? ['handler ada', 'command'] : ['handler ada'])
  })
})
