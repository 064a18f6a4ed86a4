import { cookie, createGuard, hash, logRefusals, memoryStore, session } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { cutStore } from '../support/cut-store.js'
import { deferred } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { live, settled } from '../support/live.js'

/** Two nodes on one store, each with a clock of its own. */
function nodes() {
  const store = memoryStore({ clock: testClock() })
  const node = () => live({ store: () => store })
  return { store, one: node(), other: node() }
}

describe('I06 a revocation on one of two nodes', () => {
  it('I06 closes on both, is refused on both, and says how far it has come', async () => {
    const { one, other } = nodes()
    const [here, there] = [await one.connect(), await other.connect()]
    const sibling = await other.connect({ id: 'eve' })
    expect(await one.guard.revoke({ user: 'ada' })).toEqual({ closed: 1, confirmed: 2, nodes: 2 })
    for (const client of [here, there]) expect(await client.closed).toEqual({ code: 4010, reason: 'Revoked' })
    for (const { connect } of [one, other])
      await expect(connect({ issuedAt: 0 })).rejects.toMatchObject({ status: 401 })
    await settled(sibling)
    expect(other.guard.connections.size).toBe(1)
  })

  it('I06 tells its reason to those who watch, on both, and to no client', async () => {
    const { one, other } = nodes()
    const lines: string[] = []
    const clients = []
    for (const { guard, connect } of [one, other]) {
      logRefusals(guard, (line) => lines.push(line))
      clients.push(await connect())
    }
    const reason = `left the company\n${'x'.repeat(300)}`
    await one.guard.revoke({ user: 'ada' }, reason)
    for (const { closed } of clients) expect((await closed).reason).toBe('Revoked')
    for (const { events } of [one, other]) {
      expect(events).toContainEqual(expect.objectContaining({ type: 'ended', code: 'revoked', reason }))
    }
    expect(lines.map((line) => JSON.parse(line).reason)).toEqual([reason.slice(0, 200), reason.slice(0, 200)])
    const unexplained = await other.connect({ id: 'eve' })
    await one.guard.revoke({ user: 'eve' })
    await unexplained.closed
    expect(JSON.parse(lines[2]!)).not.toHaveProperty('reason')
    expect(other.events.at(-1)).not.toHaveProperty('reason')
  })

  it('I06 reaches one that comes later', async () => {
    const { store, one } = nodes()
    await one.guard.revoke({ session: 's1' })
    const late = live({ store: () => store })
    await expect(late.connect({ session: 's1' })).rejects.toMatchObject({ status: 401 })
    await late.connect({ session: 's2' })
  })

  it('I06 counts no node that has gone down', async () => {
    const { one, other } = nodes()
    await other.guard.drain()
    expect(await one.guard.revoke('all')).toEqual({ closed: 0, confirmed: 1, nodes: 1 })
  })

  it('I18 that the other does not understand closes everybody there', async () => {
    const { store, one } = nodes()
    const client = await one.connect()
    await store.append('{"target":{"user":"eve"},"at":0,"code":"revoked"}', 60_000)
    await settled(client)
    expect(one.guard.connections.size).toBe(1)
    await store.append('{"target":{"device":"d1"},"at":0,"code":"revoked"}', 60_000)
    expect(one.guard.connections.size).toBe(1)
    await store.append(`{"target":{"device":"d1"},"at":${one.clock.now()},"code":"revoked"}`, 60_000)
    expect((await client.closed).code).toBe(4010)
  })
})

describe('F05 a session look-up that does not say when the session began', () => {
  /** A guard whose look-ups are under way until they are released; the time of its store is known to 50 ms. */
  function setUp() {
    const clock = testClock()
    const [asked, released] = [deferred(), deferred()]
    const find = async () => {
      asked.resolve()
      await released.promise
      return { identity: { id: 'ada' } }
    }
    const way = cutStore(clock, memoryStore({ clock }), 50)
    way.look()
    const accept = [cookie({ name: 'session', verify: session(find) })] as const
    const guard = createGuard({ origins: [origin], accept, store: way.store, clock })
    const decide = () =>
      guard.decide(
        handshake({
          headers: [
            ['origin', origin],
            ['cookie', 'session=s1'],
          ],
        }),
      )
    return { clock, guard, decide, asked: asked.promise, release: () => released.resolve() }
  }

  it.each([
    ['its user', { user: 'ada' }, false],
    ['its session', { session: hash('s1') }, false],
    ['everybody', 'all', false],
    ['another user', { user: 'eve' }, true],
    ['what was issued long ago', { issuedBefore: 0 }, true],
  ] as const)('F05 vouches for nothing that is revoked meanwhile: %s', async (_, target, good) => {
    const { clock, guard, decide, asked, release } = setUp()
    const verdict = decide()
    await asked
    clock.advance(100)
    await guard.revoke(target)
    clock.advance(1_000)
    release()
    expect(await verdict).toMatchObject(good ? { type: 'accept' } : { reason: 'credential-revoked' })
  })

  it.each([
    ['the store may not have been at yet', 100, false],
    ['was after it by any clock', 101, true],
  ])('F05 vouches for it anew at a time that %s', async (_, ms, good) => {
    const { clock, guard, decide, release } = setUp()
    await guard.revoke({ user: 'ada' })
    clock.advance(ms)
    release()
    expect(await decide()).toMatchObject(good ? { type: 'accept' } : { reason: 'credential-revoked' })
  })
})

describe('I10 a node whose clock is wrong', () => {
  it.each([-5, 5])(
    'I10 by %i minutes revokes what was issued until now by the store, and no later',
    async (minutes) => {
      const storeClock = testClock()
      const store = memoryStore({ clock: storeClock })
      const clock = testClock(testClock().now() + minutes * 60_000)
      const wrong = live({ clock, store: () => store })
      const right = live({ store: () => store })
      const { clock: rightClock } = right
      const claims = { issuedAt: rightClock.now(), expiresAt: rightClock.now() + 60_000 }
      const client = await right.connect(claims)
      expect(await wrong.guard.revoke({ user: 'ada' })).toMatchObject({ confirmed: 2 })
      expect((await client.closed).code).toBe(4010)
      await expect(right.connect(claims)).rejects.toMatchObject({ status: 401 })
      storeClock.advance(1)
      await right.connect({ ...claims, issuedAt: rightClock.now() + 1 })
    },
  )
})
