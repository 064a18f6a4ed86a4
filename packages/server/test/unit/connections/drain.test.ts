import { type Accept, createGuard } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { testClock } from '../../support/clock.js'
import { microtasks, nextTurn } from '../../support/deferred.js'
import { allMethods, guardOfAll } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { held } from '../../support/held.js'
import { authFrame, credentialOf, live, verifyClaims } from '../../support/live.js'
import { rawHandshake } from '../../support/raw.js'
import { expectAccepted, expectRefusal } from '../../support/refusal.js'
import { startServer } from '../../support/server.js'
import { type FakeTransport, fakeTransport } from '../../support/transport.js'

const restart = { code: 1012, reason: 'Service restart' }

/** A guard with that many connections, whose transports do as they are told. */
function crowd(count: number) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(), clock })
  const closed: number[] = []
  const start = clock.now()
  const transports: FakeTransport[] = []
  const open = () => {
    const transport = fakeTransport()
    const { close } = transport
    transport.close = (code, reason) => {
      close(code, reason)
      closed.push(clock.now() - start)
    }
    transports.push(transport)
    const accept: Accept = { type: 'accept', method: 'header', identity: { id: 'ada' }, vouchedAt: clock.now() }
    return liveConnections(guard).open(accept, handshake(), transport)
  }
  for (let i = 0; i < count; i++) open()
  return { clock, guard, closed, transports, open }
}

describe('drain', () => {
  it('spreads the closes evenly over the time that it is given', async () => {
    const { clock, guard, closed } = crowd(1_000)
    let done = false
    void guard.drain({ within: 10_000 }).then(() => {
      done = true
    })
    for (let ms = 0; ms < 10_000; ms += 500) {
      await nextTurn()
      expect(closed.length).toBe((ms / 500 + 1) * 50)
      expect(closed.at(-1)).toBe(ms)
      clock.advance(500)
    }
    expect(guard.connections.size).toBe(0)
    clock.advance(1_000)
    await nextTurn()
    expect(done).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('takes ten seconds by default', async () => {
    const { clock, guard, closed } = crowd(100)
    void guard.drain()
    for (let i = 0; i < 30; i++) {
      await nextTurn()
      clock.advance(500)
    }
    expect(closed).toHaveLength(100)
    expect(closed.at(-1)).toBe(9_500)
  })

  it('resolves at once when there is none', async () => {
    const { clock, guard } = crowd(0)
    await guard.drain()
    expect(clock.pending).toBe(0)
  })

  it('resolves when the last socket is gone, and not before', async () => {
    const { clock, guard, transports } = crowd(2)
    let done = false
    void guard.drain({ within: 0 }).then(() => {
      done = true
    })
    await nextTurn()
    clock.advance(0)
    await nextTurn()
    expect(guard.connections.size).toBe(0)
    transports[0]?.drop()
    await nextTurn()
    expect(done).toBe(false)
    // The other does not answer, and is terminated.
    clock.advance(1_000)
    await nextTurn()
    expect(done).toBe(true)
    expect(transports[1]?.calls.at(-1)).toBe('terminate')
  })

  it('does not wait for a peer whom nobody can end', async () => {
    const { clock, guard, transports } = crowd(2)
    const closed: string[] = []
    guard.subscribe(({ type }) => type === 'closed' && closed.push(type))
    for (const transport of transports) delete transport.terminate
    const drained = guard.drain({ within: 0 })
    await nextTurn()
    clock.advance(0)
    await nextTurn()
    clock.advance(1_000)
    await drained
    // They leave in the end, which is no news any more.
    for (const transport of transports) transport.drop()
    expect(closed).toEqual(['closed', 'closed'])
    expect(transports[0]?.calls).toEqual(['shut', 'close 1012 Service restart'])
  })

  it('does not wait for its time when all have gone by themselves', async () => {
    const { guard, transports, clock } = crowd(40)
    const drained = guard.drain({ within: 10_000 })
    for (const transport of transports) transport.drop()
    clock.advance(500)
    await drained
    expect(transports.filter(({ calls }) => calls.includes('close 1012 Service restart'))).toHaveLength(2)
  })

  it('may be asked for twice', async () => {
    const { guard, transports, clock } = crowd(40)
    const [slow, quick] = [guard.drain({ within: 10_000 }), guard.drain({ within: 0 })]
    for (let i = 0; i < 30; i++) {
      await nextTurn()
      clock.advance(500)
    }
    await Promise.all([slow, quick])
    for (const { calls } of transports) {
      expect(calls.filter((call) => call.startsWith('close'))).toEqual(['close 1012 Service restart'])
    }
  })

  it('closes what was accepted before it and is registered after it', async () => {
    const { guard, open, transports } = crowd(0)
    const events: string[] = []
    guard.subscribe(({ type }) => events.push(type))
    await guard.drain()
    expect(open()).toBeUndefined()
    expect(transports[0]?.calls).toEqual(['shut', 'close 1012 Service restart'])
    expect(events).toEqual(['ended'])
    expect(guard.connections.size).toBe(0)
  })
})

describe('G16 a guard that drains', () => {
  it('G16 refuses who comes with 503, and closes who is there with 1012', async () => {
    const { guard, connect, server, reasons, seen } = live()
    const client = await connect()
    const drained = guard.drain()
    expect(await client.closed).toEqual(restart)
    await drained
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    await expect(server.connect()).rejects.toMatchObject({ status: 503 })
    expect(reasons()).toEqual(['draining', 'draining'])
    expect(seen).toEqual(['handler ada'])
  })

  it('G16 says when to come again', async () => {
    const guard = guardOfAll()
    const { port } = await startServer(guard)
    const request = rawHandshake('/ws', { Authorization: 'Bearer good-ada' })
    await expectAccepted(port, request)
    void guard.drain()
    expect((await expectRefusal(port, request, 503)).headers.get('retry-after')).toBe('1')
  })

  it('G16 verifies nothing for who comes', async () => {
    let verified = 0
    const { guard, connect } = live({
      verify: (credential, context) => {
        verified++
        return verifyClaims(credential, context)
      },
    })
    await connect()
    await guard.drain()
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    expect(verified).toBe(1)
  })

  it('G16 does not accept who waited between the doors', async () => {
    const { guard, server, seen } = live()
    const client = await server.connect()
    await guard.drain()
    client.send(authFrame(credentialOf()))
    // No `auth_fail`: that would make the client drop a good credential.
    await expect(client.receive()).rejects.toThrow('1012')
    expect(await client.closed).toEqual(restart)
    expect(seen).toEqual([])
  })

  it.each(['header', 'message'] as const)(
    'G16 leaves no survivor among those that were verified meanwhile, at every point: by %s',
    async (way) => {
      for (let turn = 0; turn < 40; turn++) {
        const { verify, asked, release } = held(verifyClaims)
        const { guard, server, present, clock } = live({ verify })
        const attempt = server.connect(way === 'header' ? await present(credentialOf(), way) : undefined)
        const outcome = attempt.then(
          async (client) => (await client.closed).code,
          (error: { status: number }) => error.status,
        )
        if (way === 'message') (await attempt).send(authFrame(credentialOf()))
        await asked
        release()
        await microtasks(turn)
        const drained = guard.drain({ within: 0 })
        expect([503, 1012]).toContain(await outcome)
        clock.advance(0)
        await drained
        expect(guard.connections.size, `after ${turn} microtasks`).toBe(0)
      }
    },
  )

  it('G16 goes on to revoke', async () => {
    const { guard, connect, clock } = live()
    const clients = await Promise.all(Array.from({ length: 40 }, (_, i) => connect({ id: `user-${i}` })))
    const drained = guard.drain({ within: 10_000 })
    expect(await guard.revoke({ user: 'user-39' })).toMatchObject({ closed: 1 })
    expect(await clients[39]?.closed).toEqual({ code: 4010, reason: 'Revoked' })
    for (let i = 0; i < 20; i++) {
      clock.advance(500)
      await nextTurn()
    }
    await drained
    for (const client of clients.slice(0, 39)) expect(await client.closed).toEqual(restart)
  })

  it('G16 says nothing of the credential that would renew a connection', async () => {
    const { guard, connect, clock } = live()
    const claims = (id: string) => ({ id, issuedAt: clock.now(), expiresAt: clock.now() + 60_000 })
    await connect(claims('first'), 'message')
    const client = await connect(claims('ada'), 'message')
    const drained = guard.drain({ within: 10_000 })
    client.send(authFrame(credentialOf(claims('ada'))))
    client.send('still served')
    expect(await client.receive()).toBe('echo still served')
    clock.advance(500)
    expect(await client.closed).toEqual(restart)
    await drained
  })
})
