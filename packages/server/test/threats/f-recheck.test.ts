import { inspect } from 'node:util'
import {
  type Accept,
  createGuard,
  header,
  type Identity,
  introspection,
  rejected,
  type Session,
  session,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { testClock } from '../support/clock.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { startJsonServer } from '../support/json-server.js'
import { type LiveOptions, live, nextEvent, sendAuth, settled, type Way, ways } from '../support/live.js'
import { audience, goodClaims, issuer, now } from '../support/tokens.js'
import { fakeTransport } from '../support/transport.js'
import { unspread } from '../support/unspread.js'

const second = 1_000
const minute = 60 * second

interface Member extends Identity {
  readonly role?: string
}

/** A session store that tells nobody, and connections that are rechecked every minute. */
function rechecked({ life, ...options }: LiveOptions = {}) {
  const clock = testClock()
  const sessions = new Map<string, Session<Member>>()
  const asked: string[] = []
  const store = {
    sessions,
    asked,
    /** What a look-up does in place of an answer. */
    instead: undefined as (() => Promise<never>) | undefined,
  }
  const find = async (id: string) => {
    asked.push(id)
    return store.instead ? store.instead() : sessions.get(id)
  }
  const set = live({ clock, verify: session(find), life: { recheck: minute, ...life }, ...options })
  const signIn = (id: string, found: Session<Member> = { identity: { id: 'ada' } }) => {
    sessions.set(id, found)
    return id
  }
  /** Lets time pass, and every answer come. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= second) {
      clock.advance(Math.min(second, left))
      await nextTurn()
    }
  }
  return { ...set, ...store, store, signIn, pass }
}

const failures = () => ({
  'a store that is down': () => Promise.reject(new UnavailableError('down')),
  'a bug': () => Promise.reject(new TypeError('bug')),
  'a store that never answers': () => new Promise<never>(() => {}),
})

describe.each(ways.filter((way) => way !== 'ticket'))('F51 a session that came by %s', (way) => {
  it('F51 ends its connection when its store knows it no more, and no other', async () => {
    const { connect, signIn, sessions, pass, guard, events } = rechecked()
    const gone = await connect(signIn('one'), way)
    const stays = await connect(signIn('two'), way)
    await pass(5 * minute)
    expect(guard.connections.size).toBe(2)
    sessions.delete('one')
    await pass(minute + second)
    expect(await gone.closed).toEqual({ code: 4010, reason: 'Revoked' })
    const ended = events.find((event) => event.type === 'ended')
    expect(ended).toMatchObject({ code: 'revoked', reason: 'credential-unknown' })
    stays.send('still here')
    expect(await stays.receive()).toBe('echo still here')
    expect([...guard.connections]).toEqual([stays.connection])
  })
})

describe('F51 a recheck', () => {
  it('F51 asks nobody unless it is told to', async () => {
    const { connect, signIn, sessions, asked, pass, guard, clock } = rechecked({ life: { recheck: 0 } })
    await connect(signIn('one'), 'cookie')
    sessions.delete('one')
    await pass(10 * minute)
    expect(asked).toEqual(['one'])
    expect(guard.connections.size).toBe(1)
    // The wheels of the expiry, which ends everything after a day, and of the heartbeat.
    expect(clock.pending).toBe(2)
  })

  it('F51 leaves alone what was not looked up', async () => {
    let asked = 0
    const own = (lookedUp: boolean): Verifier<Identity> => {
      return (_, { now }) => {
        asked += 1
        if (asked > 1) return rejected('credential-unknown')
        return { identity: { id: 'ada' }, ...(lookedUp && { lookedUpAt: now }) }
      }
    }
    const vouched = rechecked({ verify: own(false) })
    await vouched.connect('x')
    await vouched.pass(2 * minute)
    expect([asked, vouched.guard.connections.size]).toEqual([1, 1])
    asked = 0
    const lookedUp = rechecked({ verify: own(true) })
    const client = await lookedUp.connect('x')
    await lookedUp.pass(2 * minute)
    expect((await client.closed).code).toBe(4010)
    expect(asked).toBe(2)
  })

  it('F51 asks no more about what an answer says was not looked up', async () => {
    let asked = 0
    const verify: Verifier<Identity> = (_, { now }) => {
      asked += 1
      return { identity: { id: 'ada' }, ...(asked < 3 && { lookedUpAt: now }) }
    }
    const { connect, pass, guard, kinds } = rechecked({ verify, life: { maxStaleness: minute } })
    await connect('x')
    await pass(10 * minute)
    expect([asked, guard.connections.size]).toEqual([3, 1])
    expect(kinds()).toEqual(['accepted'])
  })

  it('F51 asks the issuer of a token again, where it is asked at all', async () => {
    const server = await startJsonServer({ active: true, ...goodClaims() })
    const verify = introspection({
      endpoint: server.url,
      clientId: 'chat',
      clientSecret: 'x',
      issuer,
      audience,
      maxAge: 0,
    })
    const clock = testClock(now)
    const { connect, guard } = live({ clock, verify, life: { recheck: minute }, random: unspread })
    const client = await connect('opaque')
    const renewed = nextEvent(guard, 'renewed')
    server.answer = { active: true, ...goodClaims({ scope: 'read' }) }
    clock.advance(minute)
    await renewed
    server.answer = { active: false }
    clock.advance(minute)
    expect((await client.closed).code).toBe(4010)
    expect(server.received).toHaveLength(3)
  })

  it('F51 cannot ask again about a ticket, which is spent', async () => {
    const { connect, signIn, sessions, pass, guard, asked } = rechecked()
    const client = await connect(signIn('one'), 'ticket')
    sessions.delete('one')
    await pass(2 * minute)
    expect(asked).toEqual(['one'])
    expect([...guard.connections]).toEqual([client.connection])
  })

  it('F51 lets who has expired come again at once', async () => {
    const { connect, signIn, clock, pass } = rechecked({ life: { recheck: second } })
    const client = await connect(signIn('one', { identity: { id: 'ada' }, expiresAt: clock.now() + 10 * second }))
    await pass(13 * second)
    expect(await client.closed).toEqual({ code: 4019, reason: 'Credential expired' })
  })

  it.each([
    ['expired, when its store forgets it at its end', 10, { code: 4019, reason: 'Credential expired' }],
    ['signed out, when its store forgets it before', 8, { code: 4010, reason: 'Revoked' }],
  ])('E66 takes a session for %s', async (_, seconds, closed) => {
    let end = 0
    const verify = session((_, { now }) => {
      end ||= now + 10 * second
      return now < end + (seconds - 10) * second ? { identity: { id: 'ada' }, expiresAt: end } : undefined
    })
    const { connect, pass } = rechecked({ verify, life: { recheck: second } })
    const client = await connect('one')
    await pass(13 * second)
    expect(await client.closed).toEqual(closed)
  })

  it('F51 shows the verifier who asks, and no header but that of the page', async () => {
    const seen: object[] = []
    const { connect, pass } = rechecked({
      verify: (_, { handshake, now }) => {
        seen.push(handshake)
        return { identity: { id: 'ada' }, lookedUpAt: now }
      },
    })
    await connect('x', 'cookie', '198.51.100.7')
    // Not a second more: whoever was asked about in the first one is asked about again.
    await pass(minute)
    expect(seen.at(-1)).toEqual({
      method: 'GET',
      headers: [['origin', origin]],
      target: '/ws',
      params: {},
      address: '198.51.100.7',
    })
    expect(seen).toHaveLength(2)
  })
})

describe('F52 a store that cannot say', () => {
  it.each(Object.entries(failures()))('F52 is not a bad session: %s', async (_, instead) => {
    const { connect, signIn, store, pass, guard, events } = rechecked()
    const client = await connect(signIn('one'), 'cookie')
    store.instead = instead
    await pass(3 * minute)
    expect(events.filter(({ type }) => type === 'recheck-failed').length).toBeGreaterThanOrEqual(2)
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
    // It is asked again, and is believed again.
    store.instead = undefined
    await pass(10 * minute)
    expect(guard.connections.size).toBe(1)
    store.sessions.delete('one')
    await pass(minute + second)
    expect((await client.closed).code).toBe(4010)
  })

  it.each(Object.entries(failures()))('F52 is believed no longer than is said: %s', async (_, instead) => {
    const { connect, signIn, store, pass, guard, events } = rechecked({
      life: { maxStaleness: 90 * second },
      random: (bytes) => new Uint8Array(bytes).fill(255),
      verifyTimeout: second,
    })
    const client = await connect(signIn('one'), 'cookie')
    store.instead = instead
    await pass(90 * second)
    expect(guard.connections.size).toBe(1)
    await pass(5 * second)
    expect(await client.closed).toEqual({ code: 1013, reason: 'Temporarily unavailable' })
    expect(events.filter(({ type }) => type !== 'recheck-failed').map(({ type }) => type)).toEqual([
      'accepted',
      'ended',
      'closed',
    ])
  })

  it('F52 is believed for two seconds, however short a time is said', async () => {
    const { connect, signIn, store, pass, guard } = rechecked({ life: { maxStaleness: 0, recheck: second } })
    await connect(signIn('one'), 'cookie')
    let silent = 1
    store.instead = () => {
      silent -= 1
      if (silent === 0) store.instead = undefined
      return Promise.reject(new UnavailableError('down'))
    }
    await pass(10 * second)
    expect([silent, guard.connections.size]).toEqual([0, 1])
    store.instead = () => Promise.reject(new UnavailableError('down'))
    await pass(10 * second)
    expect(guard.connections.size).toBe(0)
  })

  it('F52 has its time anew after every answer', async () => {
    const { connect, signIn, store, pass, guard } = rechecked({ life: { maxStaleness: 90 * second } })
    await connect(signIn('one'), 'cookie')
    for (let i = 0; i < 5; i++) {
      store.instead = () => Promise.reject(new UnavailableError('down'))
      await pass(80 * second)
      store.instead = undefined
      await pass(61 * second)
    }
    expect(guard.connections.size).toBe(1)
  })
})

describe('F53 a session that is somebody else’s by now', () => {
  it.each<[string, Session<Member>, number]>([
    ['another user', { identity: { id: 'eve' } }, 0],
    ['another tenant', { identity: { id: 'ada', tenant: 'acme' } }, 0],
    ['the same one', { identity: { id: 'ada', role: 'admin' } }, 1],
  ])('F53 %s', async (_, found, left) => {
    const { connect, signIn, pass, guard } = rechecked()
    const client = await connect(signIn('one'), 'cookie')
    signIn('one', found)
    await pass(minute + second)
    expect(guard.connections.size).toBe(left)
    if (left === 0) expect(await client.closed).toEqual({ code: 4003, reason: 'Forbidden' })
    else expect(client.connection?.identity).toEqual(found.identity)
  })
})

describe('F54 an answer that comes too late', () => {
  /** A connection that is being asked about. */
  async function asking(way: Way = 'message') {
    const set = rechecked({ verifyTimeout: 10 * minute })
    const client = await set.connect(
      set.signIn('one', { identity: { id: 'ada' }, expiresAt: set.clock.now() + 2 * minute + 500, session: 's1' }),
      way,
    )
    const { promise, resolve } = deferred<never>()
    set.store.instead = () => promise
    await set.pass(minute + second)
    expect(set.asked).toEqual(['one', 'one'])
    set.store.instead = undefined
    const answer = async (found: Session<Member> | undefined) => {
      resolve(found as never)
      await nextTurn()
    }
    return { ...set, client, answer }
  }

  it('F54 counts in time', async () => {
    const { client, answer } = await asking()
    await answer(undefined)
    expect((await client.closed).code).toBe(4010)
  })

  it('F54 says nothing of a newer credential', async () => {
    const { client, answer, signIn, guard } = await asking()
    expect(await sendAuth(client, signIn('two'))).toMatchObject({ type: 'auth_ok' })
    await answer(undefined)
    await settled(client)
    expect(guard.connections.size).toBe(1)
  })

  it('F54 says nothing of a connection that is gone', async () => {
    const { client, answer, guard, kinds } = await asking()
    await guard.revoke({ session: 's1' })
    await client.closed
    await answer({ identity: { id: 'ada' } })
    expect(guard.connections.size).toBe(0)
    expect(kinds().filter((kind) => kind === 'ended')).toHaveLength(1)
  })

  it('F54 revives none whose time is over, before any timer', async () => {
    const { client, answer, clock, guard } = await asking()
    // The leeway is over, and the wheel has not come round.
    clock.advance(64 * second + 600)
    expect(guard.connections.size).toBe(1)
    await answer({ identity: { id: 'ada' } })
    expect(guard.connections.size).toBe(0)
    expect((await client.closed).code).toBe(4019)
  })

  it.each([
    ['has been revoked', 's2', 0],
    ['has not', 's3', 1],
  ])('F54 nor may it live on by a session that %s', async (_, session, left) => {
    const { client, answer, guard } = await asking()
    await guard.revoke({ session: 's2' })
    expect(guard.connections.size).toBe(1)
    await answer({ identity: { id: 'ada' }, session })
    expect(guard.connections.size).toBe(left)
    if (left === 0) expect((await client.closed).code).toBe(4010)
    else expect(client.connection?.session).toBe(session)
  })
})

describe('F55 a rolling session', () => {
  it('F55 takes its connection along, and tells what has changed, once', async () => {
    const { connect, signIn, clock, pass, guard, events } = rechecked()
    const end = () => clock.now() + 3 * minute
    const client = await connect(signIn('one', { identity: { id: 'ada' }, expiresAt: end() }), 'cookie')
    await pass(2 * minute)
    const expiresAt = end()
    signIn('one', { identity: { id: 'ada', role: 'writer' }, expiresAt })
    await pass(2 * minute)
    expect(guard.connections.size).toBe(1)
    expect(client.connection).toMatchObject({ identity: { role: 'writer' }, expiresAt })
    expect(events.filter(({ type }) => type === 'renewed')).toHaveLength(1)
    // And no further than that.
    await pass(2 * minute)
    expect((await client.closed).code).toBe(4019)
  })

  it('F55 tells a client of its end once, however often it is asked about', async () => {
    const { connect, signIn, clock, pass } = rechecked({ life: { recheck: second } })
    const client = await connect(
      signIn('one', { identity: { id: 'ada' }, expiresAt: clock.now() + 2 * minute }),
      'message',
    )
    let notices = 0
    client.socket.on('message', (data) => {
      if (String(data).includes('auth_expiring')) notices += 1
    })
    await pass(119 * second)
    await settled(client)
    expect(notices).toBe(1)
  })
})

describe('G41 the rechecks of many connections', () => {
  /** Connections without a socket, all opened now. */
  async function many(count: number, options: { readonly random?: (bytes: number) => Uint8Array } = {}) {
    const clock = testClock()
    const start = clock.now()
    const times: number[] = []
    const waiting: (() => void)[] = []
    let open = 0
    const verify: Verifier<Identity> = (credential, { now }) => {
      const answer = { identity: { id: credential }, lookedUpAt: now }
      if (now === start) return answer
      times.push(now - start)
      open += 1
      return new Promise((resolve) =>
        waiting.push(() => {
          open -= 1
          resolve(answer)
        }),
      )
    }
    const guard = createGuard({ clock, life: { recheck: minute }, accept: [header({ verify })], ...options })
    for (let i = 0; i < count; i++) {
      const upgrade = handshake({ headers: [['authorization', `Bearer user-${i}`]] })
      liveConnections(guard).open((await guard.decide(upgrade)) as Accept, upgrade, fakeTransport())
    }
    return { clock, guard, times, waiting, openQuestions: () => open }
  }

  it('G41 are spread over the interval', async () => {
    const { clock, times, waiting } = await many(600)
    for (let at = 0; at < 61; at++) {
      clock.advance(second)
      await nextTurn()
      for (const answer of waiting.splice(0)) answer()
      await nextTurn()
    }
    expect(times.length).toBeGreaterThanOrEqual(600)
    const perSecond = Array.from(
      { length: 60 },
      (_, i) => times.filter((at) => Math.ceil(at / second) === i + 1).length,
    )
    // Ten each, by chance: a crowd would be hundreds.
    expect(Math.max(...perSecond)).toBeLessThan(50)
    expect(perSecond.filter((count) => count === 0).length).toBeLessThan(10)
  })

  it('G41 are fifty at a time, and none is left out', async () => {
    const { clock, waiting, times, openQuestions } = await many(120, { random: unspread })
    clock.advance(minute)
    await nextTurn()
    let most = 0
    const rounds: number[] = []
    while (waiting.length > 0) {
      most = Math.max(most, openQuestions())
      rounds.push(waiting.length)
      for (const answer of waiting.splice(0)) answer()
      await nextTurn()
    }
    expect(most).toBe(50)
    expect(rounds).toEqual([50, 50, 20])
    expect(times).toHaveLength(120)
  })

  it('G41 leave nothing behind when the connections are gone', async () => {
    const { connect, signIn, pass, clock, guard } = rechecked()
    const clients = [await connect(signIn('one'), 'cookie'), await connect(signIn('two'), 'header')]
    await pass(minute)
    for (const client of clients) client.dropNetwork()
    await Promise.all(clients.map(({ closed }) => closed))
    await nextTurn()
    expect(guard.connections.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('J13 the credential that is kept for a recheck', () => {
  it.each(['cookie', 'header', 'message'] as const)(
    'J13 is in no event and nothing that can be printed: %s',
    async (way) => {
      const { connect, signIn, store, pass, events, guard, sockets } = rechecked()
      const canary = signIn('canary-7f3a')
      const client = await connect(canary, way)
      store.instead = () => Promise.reject(new UnavailableError('down'))
      await pass(2 * minute)
      store.instead = undefined
      store.sessions.clear()
      await pass(2 * minute)
      await client.closed
      expect(events.map(({ type }) => type)).toContain('recheck-failed')
      const sight = { depth: 12, showHidden: true, getters: true }
      for (const value of [events, guard, [...guard.connections], sockets.length]) {
        expect(inspect(value, sight)).not.toContain('canary')
      }
      expect(JSON.stringify(events)).not.toContain('canary')
    },
  )

  it('J13 is not there when nobody asks', async () => {
    const { guard } = rechecked({
      life: { recheck: 0 },
      verify: (_, { now }) => ({ identity: { id: 'ada' }, lookedUpAt: now }),
    })
    const upgrade = handshake({ headers: [['authorization', 'Bearer x']] })
    expect(await guard.decide(upgrade)).toMatchObject({ type: 'accept', recheck: undefined })
    const asking = rechecked({ verify: (_, { now }) => ({ identity: { id: 'ada' }, lookedUpAt: now }) })
    expect(await asking.guard.decide(upgrade)).toMatchObject({ recheck: expect.any(Function) })
  })
})
