import { type Admission, createGuard, type GuardEvent, UnavailableError } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { Client } from '../support/client.js'
import { testClock } from '../support/clock.js'
import { deferred } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { RawClient, type RawHeaders, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'

const bearer = { Authorization: 'Bearer good-ada' }
const auth = rawFrame(JSON.stringify({ type: 'auth', token: 'good-ada' }))

/** A route where the application decides who may connect, and what it was asked. */
async function start(admit: () => Admission | Promise<Admission>, options: { max?: number } = {}) {
  const clock = testClock()
  const guard = createGuard({
    ...allMethods(),
    clock,
    ...(options.max && { connectionsPerIdentity: { max: options.max, whenFull: 'replace' } }),
  })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const asked: unknown[] = []
  const seen: string[] = []
  const { port, url } = await startServer(guard, (_, { identity }) => void seen.push(identity.id), {
    admit(identity, { target, params, request }) {
      asked.push([identity.id, target, params, request?.constructor.name])
      return admit()
    },
  })
  const status = async (headers: RawHeaders = bearer) => (await rawOpen(port, '/ws?room=1', headers)).head.status
  /** How a first message ends: with its Close, or `undefined` once it is accepted. */
  const message = async () => {
    const client = await RawClient.connect(port)
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws?room=1')), auth]))
    await client.until(() => client.isClosed || client.texts().some((text) => text.includes('auth_ok')))
    return client.isClosed ? (await client.closeFrame())?.code : undefined
  }
  return { clock, guard, events, asked, seen, port, url, status, message }
}

describe('A48 who is known may still not connect', () => {
  it('A48 when the application says so, before the 101 and before the acknowledgement', async () => {
    const { status, message, port, seen, asked, events, guard } = await start(() => ({ reason: 'not of this room' }))
    expect(await status()).toBe(403)
    expect(await message()).toBe(4003)
    const browser = await rawOpen(port, '/ws?room=1', { ...bearer, Origin: origin })
    expect((await browser.client.closeFrame())?.code).toBe(4003)
    expect(seen).toEqual([])
    expect(guard.connections.size).toBe(0)
    expect(asked).toEqual(Array(3).fill(['ada', '/ws?room=1', {}, 'IncomingMessage']))
    expect(events).toMatchObject(
      Array(3).fill({ type: 'refused', reason: 'not-admitted', detail: 'not of this room', path: '/ws' }),
    )
  })

  it('A48 and does when the application lets it in, at once or later', async () => {
    for (const answer of [() => true, async () => true]) {
      const { status, message, seen, events } = await start(answer)
      expect([await status(), await message()]).toEqual([101, undefined])
      expect(seen).toEqual(['ada', 'ada'])
      expect(events.map(({ type }) => type)).toEqual(['accepted', 'accepted'])
    }
  })

  it('A48 and is not asked about who is nobody', async () => {
    const { status, asked } = await start(() => true)
    expect(await status({ Authorization: 'Bearer bad' })).toBe(401)
    expect(asked).toEqual([])
  })

  it.each<[string, () => unknown, number, number, string]>([
    ['answers false', () => false, 403, 4003, 'not-admitted'],
    ['answers false later', async () => false, 403, 4003, 'not-admitted'],
    ['has forgotten to answer', () => undefined, 500, 1011, 'internal-error'],
    ['answers what only looks like yes', () => 1, 500, 1011, 'internal-error'],
    ['answers no reason', () => ({ reason: 1 }), 500, 1011, 'internal-error'],
    ['answers null', async () => null, 500, 1011, 'internal-error'],
    ['throws', () => Promise.reject(new Error('bug')), 500, 1011, 'internal-error'],
    [
      'throws at once',
      () => {
        throw new Error('bug')
      },
      500,
      1011,
      'internal-error',
    ],
    ['cannot know', () => Promise.reject(new UnavailableError('down')), 503, 1013, 'dependency-unavailable'],
  ])('A48 nobody is let in by an application that %s', async (_, answer, status, close, reason) => {
    const started = await start(answer as () => Admission)
    expect(await started.status()).toBe(status)
    expect(await started.message()).toBe(close)
    expect(started.seen).toEqual([])
    expect(started.events).toMatchObject([{ reason }, { reason }])
  })

  it('A48 an application that takes too long has had its time', async () => {
    const asked = deferred()
    const { clock, port, seen } = await start(() => {
      asked.resolve()
      return new Promise(() => {})
    })
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', bearer))
    await asked.promise
    clock.advance(5_000)
    expect((await client.head()).status).toBe(503)
    expect(seen).toEqual([])
  })

  it('A48 who is not let in replaces nobody', async () => {
    let answer = true
    const { guard, url, status } = await start(() => answer, { max: 1 })
    const first = await Client.open(`${url}?room=1`, { headers: bearer })
    answer = false
    expect(await status()).toBe(403)
    expect(guard.connections.size).toBe(1)
    answer = true
    expect(await status()).toBe(101)
    expect((await first.closed).code).toBe(4009)
  })

  it('A48 a revocation that comes while the application thinks is not forgotten', async () => {
    const asked = deferred()
    const answer = deferred<boolean>()
    const { guard, port, seen } = await start(() => {
      asked.resolve()
      return answer.promise
    })
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', bearer))
    await asked.promise
    await guard.revoke({ user: 'ada' })
    answer.resolve(true)
    expect((await client.closeFrame())?.code).toBe(4010)
    expect(seen).toEqual([])
  })
})
