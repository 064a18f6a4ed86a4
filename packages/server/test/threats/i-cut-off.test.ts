import { type Accept, createGuard, header, memoryStore, UnavailableError } from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { testClock } from '../support/clock.js'
import { cutStore } from '../support/cut-store.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { handshake } from '../support/handshake.js'
import { credentialOf, type LiveOptions, live, nextEvent, sendAuth, verifyClaims } from '../support/live.js'
import { recordingStore } from '../support/recording-store.js'
import { fakeTransport } from '../support/transport.js'

const maxStaleness = 60_000
const unavailable = { code: 1013, reason: 'Temporarily unavailable' }

/** A guard whose way to its store is in the test's hands. It has not looked yet. */
function cutOff(options: LiveOptions = {}) {
  const clock = testClock()
  const shared = memoryStore({ clock })
  const { store, recorded } = recordingStore(shared)
  const way = cutStore(clock, store)
  const set = live({ life: { maxStaleness }, ...options, clock, store: () => way.store })
  const cut = (isCut: boolean) => {
    way.answers = !isCut
    way.follows = !isCut
  }
  const states = () => set.events.flatMap((event) => (event.type === 'store' ? [event.state] : []))
  /** What has come to be in the store. */
  const appended = () => recorded.filter((call) => call.startsWith('append'))
  return { ...set, shared, way, cut, states, appended }
}

/** One that knows all that its store holds. */
function current(options?: LiveOptions) {
  const set = cutOff(options)
  set.way.look()
  set.events.length = 0
  return set
}

describe('I09 a node that is cut off from its store', () => {
  it('I09 says how well it knows it, to the millisecond', () => {
    const { guard, clock, cut, way } = current()
    expect(guard.health).toEqual({ store: 'current', draining: false })
    cut(true)
    clock.advance(1_999)
    way.look()
    expect(guard.health.store).toBe('current')
    clock.advance(1)
    expect(guard.health.store).toBe('stale')
    clock.advance(maxStaleness - 2_001)
    way.look()
    expect(guard.health.store).toBe('stale')
    clock.advance(1)
    expect(guard.health.store).toBe('unavailable')
    cut(false)
    way.look()
    expect(guard.health.store).toBe('current')
  })

  it('I09 tells of each change once', () => {
    const { clock, cut, way, states } = current()
    cut(true)
    for (let second = 0; second < 90; second++) {
      clock.advance(1_000)
      way.look()
    }
    expect(states()).toEqual(['stale', 'unavailable'])
    cut(false)
    way.look()
    way.look()
    expect(states()).toEqual(['stale', 'unavailable', 'current'])
  })

  it('I09 goes on by what it knows for as long as it may, and no longer; then by itself again', async () => {
    const { guard, clock, cut, way, connect, reasons, seen } = current()
    const client = await connect()
    await guard.revoke({ user: 'eve' })
    cut(true)
    clock.advance(maxStaleness - 1)
    way.look()
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
    await connect({ id: 'bob' })
    await expect(connect({ id: 'eve', issuedAt: 0 })).rejects.toMatchObject({ status: 401 })
    clock.advance(1)
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    way.look()
    expect(await client.closed).toEqual(unavailable)
    expect(guard.connections.size).toBe(0)
    cut(false)
    way.look()
    await connect()
    expect(reasons()).toEqual(['credential-revoked', 'dependency-unavailable'])
    expect(seen).toEqual(['handler ada', 'still here', 'handler bob', 'handler ada'])
  })

  it.each([
    ['is what it was', maxStaleness - 1, 'auth_ok'],
    ['has been too long', maxStaleness, undefined],
  ])('I09 answers a first message, and says nothing of its credential, when that %s', async (_, ms, answer) => {
    const { clock, cut, server } = current()
    cut(true)
    clock.advance(ms)
    const client = await server.connect()
    const frame = sendAuth(client, credentialOf())
    if (answer) expect(await frame).toMatchObject({ type: answer })
    else {
      await expect(frame).rejects.toThrow('1013')
      expect(await client.closed).toEqual(unavailable)
    }
  })

  it.each([
    ['not so far', maxStaleness - 1, true],
    ['too far', maxStaleness, false],
  ])('I09 has a clock that jumps, as after a pause, and has not looked since: %s', async (_, ms, good) => {
    const { clock, way, connect, server, reasons, seen } = current()
    const headers = { Authorization: `Bearer ${credentialOf()}` }
    const issue = async () => (await server.fetch('/ws/ticket', { method: 'POST', headers })).status
    // The store is there, and has news.
    way.follows = false
    await way.store.append(
      JSON.stringify({ target: { user: 'eve' }, at: clock.now(), code: 'revoked' }),
      2 * maxStaleness,
    )
    way.follows = true
    clock.advance(ms)
    for (const id of ['ada', 'eve']) {
      const attempt = connect({ id, issuedAt: 0 })
      if (good) await attempt
      else await expect(attempt).rejects.toMatchObject({ status: 503 })
    }
    expect(await issue()).toBe(good ? 201 : 503)
    expect(seen).toEqual(good ? ['handler ada', 'handler eve'] : [])
    way.look()
    await connect()
    expect(await issue()).toBe(201)
    await expect(connect({ id: 'eve', issuedAt: 0 })).rejects.toMatchObject({ status: 401 })
    const unknown = Array(good ? 0 : 3).fill('dependency-unavailable')
    expect(reasons()).toEqual([...unknown, 'credential-revoked'])
  })

  it('I09 closes what was accepted before that and is opened after it', async () => {
    const { guard, clock, cut, way } = current()
    cut(true)
    clock.advance(maxStaleness)
    way.look()
    const accept: Accept = { type: 'accept', method: 'header', identity: { id: 'ada' }, vouchedAt: clock.now() }
    const late = fakeTransport()
    liveConnections(guard).open(accept, handshake(), late)
    way.look()
    expect(late.calls).toEqual(['shut', 'close 1013 Temporarily unavailable'])
    cut(false)
    way.look()
    const good = fakeTransport()
    liveConnections(guard).open(accept, handshake(), good)
    way.look()
    expect(good.calls).toEqual([])
  })

  it('I09 may still learn of it in the last moment, however short the memory', async () => {
    const { store, recorded } = recordingStore(memoryStore())
    const verify = () => ({ identity: { id: 'ada' } })
    const life = { revocationMemory: 0, maxStaleness: 600_000 }
    await createGuard({ store, life, accept: [header({ verify })] }).revoke({ session: 's1' })
    const [ttl = Number.NaN] = recorded.map((call) => Number(call.split(' ').at(-1)))
    expect(ttl).toBeGreaterThanOrEqual(life.maxStaleness)
  })

  it('I09 learns of what was revoked meanwhile when it looks again', async () => {
    const { guard, clock, way, connect } = current()
    const [ada, eve] = [await connect(), await connect({ id: 'eve' })]
    way.follows = false
    // As another node does.
    await way.store.append(JSON.stringify({ target: { user: 'eve' }, at: clock.now(), code: 'revoked' }), 60_000)
    clock.advance(1_000)
    way.look()
    expect(guard.connections.size).toBe(2)
    way.follows = true
    way.look()
    expect((await eve.closed).code).toBe(4010)
    ada.send('still here')
    expect(await ada.receive()).toBe('echo still here')
  })
})

describe('I01 a node that has never reached its store', () => {
  it('I01 refuses with 503 until it knows every revocation, and says when it does', async () => {
    const { guard, connect, way, cut, states } = cutOff()
    cut(true)
    let isReady = false
    const ready = guard.ready().then(() => {
      isReady = true
    })
    way.look()
    await nextTurn()
    expect([isReady, guard.health.store]).toEqual([false, 'unavailable'])
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    cut(false)
    way.look()
    await ready
    await guard.ready()
    await connect()
    expect(states()).toEqual(['current'])
  })

  it('I01 is ready at once with the memory store', async () => {
    const { guard, connect } = live()
    await guard.ready()
    expect(guard.health).toEqual({ store: 'current', draining: false })
    await connect()
  })
})

describe('I22 a node that cannot ask for the places of an identity', () => {
  const limited = (whenFull: 'refuse' | 'replace', max = 2) => ({ connectionsPerIdentity: { max, whenFull } })
  const over = { status: 409 }
  const replaced = { code: 4009, reason: 'Replaced' }

  /** A node, and how the others see the places. */
  function placed(options: LiveOptions) {
    const set = current(options)
    const seconds = async (count: number) => {
      for (let second = 0; second < count; second++) {
        set.clock.advance(1_000)
        set.way.look()
        await nextTurn()
      }
    }
    const other = live({ ...options, clock: set.clock, store: () => set.shared })
    return { ...set, seconds, other }
  }

  it('I22 counts its own, refuses none for it, and those who have theirs live on', async () => {
    const { way, connect, reasons } = current(limited('refuse'))
    const client = await connect()
    way.answers = false
    const second = await connect()
    await expect(connect()).rejects.toMatchObject(over)
    await connect({ id: 'eve' })
    expect(reasons()).toEqual(['connection-limit'])
    for (const each of [client, second]) {
      each.send('still here')
      expect(await each.receive()).toBe('echo still here')
    }
  })

  it('I22 counts one that is not open yet', async () => {
    const gate = deferred()
    const verify: LiveOptions['verify'] = async (credential, context) => {
      await gate.promise
      return verifyClaims(credential, context)
    }
    const { way, server, guard } = current({ ...limited('refuse'), verify })
    way.answers = false
    const dial = () => server.connect({ headers: { Authorization: `Bearer ${credentialOf()}` } })
    const dialled = Array.from({ length: 20 }, () =>
      dial().then(
        () => 101,
        ({ status }) => status as number,
      ),
    )
    gate.resolve()
    const statuses = await Promise.all(dialled)
    expect(statuses.sort()).toEqual([101, 101, ...Array(18).fill(409)])
    expect(guard.connections.size).toBe(2)
  })

  it('I22 has a place again when one leaves', async () => {
    const { way, connect, guard } = current(limited('refuse', 1))
    way.answers = false
    const client = await connect()
    await expect(connect()).rejects.toMatchObject(over)
    const left = nextEvent(guard, 'closed')
    client.socket.close()
    await left
    await connect()
  })

  it('I22 replaces the oldest of its own, where it is told to', async () => {
    const { way, connect } = current(limited('replace'))
    const [first, second] = [await connect(), await connect()]
    way.answers = false
    await connect()
    expect(await first.closed).toEqual(replaced)
    await connect()
    expect(await second.closed).toEqual(replaced)
  })

  it('I22 refuses with 503 where it is told to, and those who have theirs live on', async () => {
    const places = { max: 2, whenFull: 'refuse', whenUnavailable: 'refuse' } as const
    const { way, connect, reasons } = current({ connectionsPerIdentity: places })
    const client = await connect()
    way.answers = false
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    expect(reasons()).toEqual(['dependency-unavailable'])
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
    way.answers = true
    await connect()
  })

  it('I22 takes a bug for a bug', async () => {
    const { way, connect } = current(limited('refuse'))
    way.store.acquire = () => Promise.reject(new TypeError('store bug'))
    await expect(connect()).rejects.toMatchObject({ status: 500 })
  })

  it('I22 takes the places that it counted alone when the store is back', async () => {
    const { way, connect, other, seconds } = placed(limited('refuse', 1))
    way.answers = false
    const client = await connect()
    await other.connect({ id: 'eve' })
    way.answers = true
    await seconds(6)
    await expect(other.connect()).rejects.toMatchObject(over)
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
    // And keeps them.
    await seconds(120)
    await expect(other.connect()).rejects.toMatchObject(over)
  })

  it('I22 ends none for one that has gone while it was counted alone', async () => {
    const { way, connect, guard, other, seconds } = placed(limited('refuse', 1))
    const first = await connect()
    // By now its place is taken for a minute.
    await seconds(6)
    way.answers = false
    const left = nextEvent(guard, 'closed')
    first.socket.close()
    await left
    const second = await connect()
    way.answers = true
    await seconds(70)
    expect(second.socket.readyState).toBe(second.socket.OPEN)
    await expect(other.connect()).rejects.toMatchObject(over)
  })

  it('I22 ends what others have counted as well, and is more than there may be', async () => {
    const { way, connect, guard, other, seconds } = placed(limited('refuse', 1))
    way.answers = false
    const client = await connect()
    await other.connect()
    way.answers = true
    await seconds(70)
    expect(await client.closed).toEqual(replaced)
    expect([guard.connections.size, other.guard.connections.size]).toEqual([0, 1])
  })

  it('I22 takes from nobody who came when the store knew of it again', async () => {
    const { way, shared, connect, seconds } = placed(limited('replace', 1))
    const acquire = vi.spyOn(way.store, 'acquire')
    way.answers = false
    const client = await connect()
    way.answers = true
    await seconds(6)
    const [group, member] = acquire.mock.lastCall!
    await shared.release(group, member)
    await shared.acquire(group, 'newer', { max: 1, whenFull: 'refuse' }, 600_000)
    await seconds(25)
    expect(await client.closed).toEqual(replaced)
  })

  it('I22 needs no store where they are not limited', async () => {
    const { way, connect } = current()
    way.answers = false
    await connect()
  })
})

describe('I04 a revocation that the store could not take', () => {
  it('I04 holds here at once, and says so', async () => {
    const { guard, connect, cut } = current()
    const [ada, eve] = [await connect(), await connect({ id: 'eve' })]
    cut(true)
    await expect(guard.revoke({ user: 'ada' })).rejects.toThrow(UnavailableError)
    expect((await ada.closed).code).toBe(4010)
    await expect(connect({ issuedAt: 0 })).rejects.toMatchObject({ status: 401 })
    eve.send('still here')
    expect(await eve.receive()).toBe('echo still here')
  })

  it('I04 is sent again until the store has it, and then no more', async () => {
    const { guard, way, cut, appended } = current()
    cut(true)
    await expect(guard.revoke({ user: 'ada' })).rejects.toThrow(UnavailableError)
    await expect(guard.revoke({ session: 's1' })).rejects.toThrow(UnavailableError)
    way.look()
    await nextTurn()
    // It can be read again, but not yet written.
    way.follows = true
    way.look()
    await nextTurn()
    way.answers = true
    for (let i = 0; i < 3; i++) {
      way.look()
      await nextTurn()
    }
    expect(appended()).toEqual([expect.stringContaining('"user":"ada"'), expect.stringContaining('"session":"s1"')])
  })
})
