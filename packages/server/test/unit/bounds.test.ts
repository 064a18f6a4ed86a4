import { createServer } from 'node:http'
import {
  ConfigurationError,
  createGuard,
  createRoutes,
  firstMessage,
  header,
  type Identity,
  memoryStore,
  query,
  ticket,
  type Verifier,
} from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { testClock } from '@sallyport/server/testing'
import { type GuardServerOptions, guardServer } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import { verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'

const accept = [header({ verify: verifyGood })] as const

const limit = (max: number) => ({ connectionsPerIdentity: { max, whenFull: 'refuse' as const } })

describe('a bound', () => {
  it.each([
    ['a leeway over a minute', { life: { leeway: 60_000 } }, { life: { leeway: 60_001 } }],
    ['a recheck in seconds', { life: { recheck: 1_000 } }, { life: { recheck: 999 } }],
    ['a limit of no connection', limit(1), limit(0)],
    ['a limit of NaN connections', limit(1), limit(Number.NaN)],
    ['a limit of infinitely many connections', limit(2 ** 31 - 1), limit(Number.POSITIVE_INFINITY)],
    ['a limit of a half', limit(2), limit(2.5)],
    ['a limit below zero', { limits: { failedAttempts: 0 } }, { limits: { failedAttempts: -1 } }],
    ['a limit that is NaN', { limits: { failedAttempts: 1 } }, { limits: { failedAttempts: Number.NaN } }],
    ['a life that is infinite', { life: { maxAge: 1 } }, { life: { maxAge: Number.POSITIVE_INFINITY } }],
  ])('may not be %s', (_, good, bad) => {
    expect(() => createGuard({ accept, ...good })).not.toThrow()
    expect(() => createGuard({ accept, ...bad })).toThrow(ConfigurationError)
  })
})

describe('a number among the options', () => {
  const guard = createGuard({ accept })
  const server = (options: Partial<GuardServerOptions>) =>
    guardServer(createServer(), guard, { path: '/ws', ...options }, () => {})
  const client = { call: () => new Promise(() => {}) }

  const numbers: [string, number, (value: number) => unknown][] = [
    ['messagesPerSecond', 1, (messagesPerSecond) => server({ messagesPerSecond })],
    ['maxBufferedBytes', 0, (maxBufferedBytes) => server({ maxBufferedBytes })],
    ['verifyTimeout', 1, (verifyTimeout) => createGuard({ accept, verifyTimeout })],
    ['limits.pendingSockets', 0, (pendingSockets) => createGuard({ accept, limits: { pendingSockets } })],
    ['limits.credentialBytes', 0, (credentialBytes) => createGuard({ accept, limits: { credentialBytes } })],
    ['life.leeway', 0, (leeway) => createGuard({ accept, life: { leeway } })],
    ['connectionsPerIdentity.max', 1, (max) => createGuard({ accept, ...limit(max) })],
    ['timeout', 1, (timeout) => firstMessage({ verify: verifyGood, timeout })],
    ['expiresIn', 1, (expiresIn) => createGuard({ accept: [ticket({ expiresIn })] })],
    ['maxOutstanding', 1, (maxOutstanding) => createGuard({ accept: [ticket({ maxOutstanding })] })],
    ['maxEntries', 1, (maxEntries) => memoryStore({ maxEntries })],
    ['timeout', 1, (timeout) => redisStore({ client, timeout, secret: 's'.repeat(32) })],
  ]

  it.each(numbers)('G18 is one, or the guard does not start: %s', (name, least, create) => {
    expect(() => create(least)).not.toThrow()
    for (const bad of [Number.NaN, least - 1, '10' as never]) {
      const wanted = name === 'connectionsPerIdentity.max' ? 'a whole number' : 'a number'
      expect(() => create(bad)).toThrow(new RegExp(`: ${name} is ${bad}; give ${wanted} `))
    }
  })
})

describe('a choice among the options', () => {
  const places = (more: object) => ({ connectionsPerIdentity: { max: 1, whenFull: 'refuse' as const, ...more } })

  it.each([
    ['refuseBy', 'close', (refuseBy: string) => ({ refuseBy: refuseBy as 'close' })],
    ['connectionsPerIdentity.whenFull', 'replace', (whenFull: string) => places({ whenFull })],
    ['connectionsPerIdentity.whenUnavailable', 'refuse', (whenUnavailable: string) => places({ whenUnavailable })],
  ])('F60 is one of those that there are, or the guard does not start: %s', (name, good, options) => {
    expect(() => createGuard({ accept, ...options(good) })).not.toThrow()
    for (const bad of [`${good}d`, '', true as never]) {
      const said = `createGuard: ${name} is ${JSON.stringify(bad)}; give '`
      expect(() => createGuard({ accept, ...options(bad) })).toThrow(said)
    }
  })
})

describe('a credential', () => {
  const memory = 3_600_000
  const lives = (ms: number): Verifier<Identity> => {
    return (_, { now }) => ({ identity: { id: 'ada' }, issuedAt: now, expiresAt: now + ms })
  }
  const decide = (ms: number) => {
    const guard = createGuard({
      clock: testClock(),
      life: { revocationMemory: memory },
      accept: [header({ verify: lives(ms) })],
    })
    return guard.decide(handshake({ headers: [['authorization', 'Bearer ada']] }))
  }

  it('lives no longer than a revocation is remembered', async () => {
    expect(await decide(memory)).toMatchObject({ type: 'accept' })
    expect(await decide(memory + 1)).toMatchObject({ type: 'refuse', reason: 'credential-lifetime' })
  })

  it('stands in no URL unless it says when it was issued', async () => {
    const decideQuery = (issued: boolean) => {
      const verify: Verifier<Identity> = (_, { now }) => ({
        identity: { id: 'ada' },
        expiresAt: now + 60_000,
        ...(issued && { issuedAt: now }),
      })
      const guard = createGuard({ clock: testClock(), accept: [query({ verify })] })
      return guard.decide(handshake({ target: '/ws?token=ada' }))
    }
    expect(await decideQuery(true)).toMatchObject({ type: 'accept' })
    expect(await decideQuery(false)).toMatchObject({ type: 'refuse', reason: 'credential-lifetime' })
  })
})

describe('a body', () => {
  const renew = async (body: string | ReadableStream) => {
    const routes = createRoutes(createGuard({ accept }), { path: '/ws' })
    const headers = { Authorization: 'Bearer good-ada' }
    const init = { method: 'POST', headers, body, duplex: 'half' }
    return (await routes.fetch(new Request('http://test/ws/renew', init)))?.status
  }
  const named = (length: number) => JSON.stringify({ connection: 'none' }).padEnd(length)

  it('is read as far as 16 KiB', async () => {
    expect(await renew(named(16_384))).toBe(404)
    expect(await renew(named(16_385))).toBe(413)
  })

  it('is left unread behind 64 KiB, though it never ends', async () => {
    let chunks = 0
    const endless = new ReadableStream({
      pull: (controller) => {
        chunks += 1
        // So that a reader that goes on fails here, and not by a time limit.
        if (chunks > 100) controller.error(new Error('it is read without end'))
        else controller.enqueue(new Uint8Array(1_024))
      },
    })
    expect(await renew(endless)).toBe(413)
    expect(chunks).toBeGreaterThan(64)
  })

  it.each(['{"connection":""}', '{"connection":1}', '{}', '[]', 'null', 'none'])('is refused as %s', async (body) => {
    expect(await renew(body)).toBe(400)
    expect(await renew('{"connection":"none"}')).toBe(404)
  })
})
