import type { Identity, Verifier } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Deferred, deferred, nextTurn } from '../support/deferred.js'
import { authFrame, type Claims, credentialOf, live, sendAuth, settled, verifyClaims } from '../support/live.js'

const forbidden = { code: 4003, reason: 'Forbidden' }
const minute = 60_000

const owner: Claims = { id: 'ada', issuer: 'https://id.example.com', tenant: 'acme', session: 's1' }

describe('F07 a renewal never changes who a connection is', () => {
  const swaps: [string, Claims, boolean][] = [
    ['the same identity', {}, true],
    ['the same identity with another role', { role: 'admin' }, true],
    ['another user', { id: 'eve' }, false],
    ['the same id of another issuer', { issuer: 'https://evil.example.com' }, false],
    ['the same id of another tenant', { tenant: 'evil' }, false],
    ['no issuer', { issuer: '' }, false],
    ['no tenant', { tenant: '' }, false],
    ['a tuple that only joins to the same text', { id: 'a', issuer: 'https://id.example.comda' }, false],
  ]

  async function open(way: 'message' | 'header') {
    const set = live()
    const claims = (changes: Claims = {}) =>
      credentialOf({ ...owner, issuedAt: set.clock.now(), expiresAt: set.clock.now() + 10 * minute, ...changes })
    const client = await set.connect(claims(), way)
    const { connection } = client
    const before = connection!.expiresAt
    set.clock.advance(minute)
    return { ...set, claims, client, connection: connection!, before: before! }
  }

  it.each(swaps)('F07 in-band, for %s', async (_, changes, good) => {
    const { claims, client, connection, before, guard, kinds, seen } = await open('message')
    if (good) {
      expect(await sendAuth(client, claims(changes))).toMatchObject({ type: 'auth_ok', userId: 'ada', expiresIn: 600 })
      expect(connection.expiresAt).toBe(before + minute)
      expect(guard.connections.size).toBe(1)
      return
    }
    client.send(authFrame(claims(changes)))
    expect(await client.closed).toEqual(forbidden)
    expect(connection.identity).toEqual({ id: 'ada', issuer: owner.issuer, tenant: owner.tenant })
    expect(connection.expiresAt).toBe(before)
    expect(kinds()).toEqual(['accepted', 'ended', 'closed'])
    expect(guard.connections.size).toBe(0)
    expect(seen.filter((text) => text.startsWith('handler'))).toEqual(['handler ada'])
  })

  it.each(swaps)('F07 over HTTP by its id, for %s, and without closing it', async (_, changes, good) => {
    const { claims, client, connection, before, renew, reasons } = await open('header')
    const response = await renew(claims(changes), { connection: connection.id })
    expect(response.status).toBe(good ? 200 : 403)
    expect(reasons()).toEqual(good ? [] : ['identity-changed'])
    expect(connection.expiresAt).toBe(good ? before + minute : before)
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
  })

  it.each(swaps)('F07 over HTTP by its session, for %s, and without closing it', async (_, changes, good) => {
    const { claims, client, connection, before, renew } = await open('header')
    expect((await renew(claims(changes))).status).toBe(good ? 200 : 403)
    expect(connection.expiresAt).toBe(good ? before + minute : before)
    client.send('still here')
    expect(await client.receive()).toBe('echo still here')
  })

  it('F07 nor lets somebody stand in the way whose session has the same name', async () => {
    const { claims, connect, connection, before, renew } = await open('header')
    const namesake = await connect(claims({ issuer: 'https://evil.example.com' }))
    const theirs = namesake.connection!.expiresAt
    const response = await renew(claims())
    expect(response.status).toBe(200)
    expect(connection.expiresAt).toBe(before + minute)
    expect(namesake.connection?.expiresAt).toBe(theirs)
    expect(namesake.connection?.identity.issuer).toBe('https://evil.example.com')
  })
})

describe('F11 renewals that come in any order', () => {
  const token = fc.record({ issued: fc.nat(20), life: fc.integer({ min: 100, max: 200 }) })

  it('F11 leave what the newest credential says', async () => {
    await fc.assert(
      fc.asyncProperty(token, fc.array(token, { minLength: 1, maxLength: 6 }), async (first, renewals) => {
        const { clock, connect, guard } = live({ life: { notice: 0 } })
        const start = clock.now()
        const claims = ({ issued, life }: typeof first) => ({
          issuedAt: start + issued * 1_000,
          expiresAt: start + (issued + life) * 1_000,
        })
        clock.advance(20_000)
        const client = await connect(claims(first), 'message')
        for (const renewal of renewals) {
          expect(await sendAuth(client, credentialOf(claims(renewal)))).toMatchObject({ type: 'auth_ok' })
        }
        const newest = [first, ...renewals].reduce((best, one) => (one.issued >= best.issued ? one : best))
        expect(client.connection?.expiresAt).toBe(claims(newest).expiresAt)
        // And that is what the connection ends by.
        clock.advance(claims(newest).expiresAt + 5_000 - clock.now() - 1)
        expect(guard.connections.size).toBe(1)
        clock.advance(1)
        expect((await client.closed).code).toBe(4019)
      }),
      { numRuns: 50 },
    )
  })

  it('F11 also when their verifications overtake each other', async () => {
    const held = new Map<string, Deferred<void>>()
    const verify: Verifier<Identity> = async (credential, context) => {
      await held.get(credential)?.promise
      return verifyClaims(credential, context)
    }
    const { clock, connect, renew } = live({ verify })
    const claims = (issued: number) => ({
      session: 's1',
      issuedAt: clock.now() + issued,
      expiresAt: clock.now() + 10 * minute + issued,
    })
    const client = await connect(claims(0))
    const [older, newer] = [credentialOf(claims(1_000)), credentialOf(claims(2_000))]
    held.set(older, deferred())
    const first = renew(older)
    const second = renew(newer)
    expect((await second).status).toBe(200)
    const { expiresAt } = client.connection!
    held.get(older)?.resolve()
    // It changes nothing, and the client is told how long the connection lives all the same.
    expect(await (await first).json()).toEqual({ expiresIn: 602 })
    expect(client.connection?.expiresAt).toBe(expiresAt)
    expect(expiresAt).toBe(claims(2_000).expiresAt)
  })

  it('F11 and an older credential brings no older identity back', async () => {
    const { clock, connect } = live()
    const start = clock.now()
    const claims = (role: string, issued: number) => ({
      role,
      issuedAt: start + issued,
      expiresAt: start + 10 * minute,
    })
    const client = await connect(claims('admin', 0), 'message')
    await sendAuth(client, credentialOf(claims('reader', 2_000)))
    await sendAuth(client, credentialOf(claims('admin', 1_000)))
    expect(client.connection?.identity).toEqual({ id: 'ada', role: 'reader' })
    await sendAuth(client, credentialOf(claims('admin', 3_000)))
    expect(client.connection?.identity).toEqual({ id: 'ada', role: 'admin' })
  })
})

describe('F12 renewals without end', () => {
  it('F12 are verified one at a time, and those that come meanwhile are dropped', async () => {
    const asked = deferred()
    const release = deferred()
    let verifications = 0
    let running = 0
    const { clock, connect, kinds, seen } = live({
      verify: async (credential, context) => {
        verifications++
        running++
        expect(running).toBe(1)
        if (verifications > 1) {
          asked.resolve()
          await release.promise
        }
        running--
        return verifyClaims(credential, context)
      },
    })
    const claims = () => ({ issuedAt: clock.now(), expiresAt: clock.now() + minute })
    const client = await connect(claims(), 'message')
    clock.advance(1_000)
    for (let i = 0; i < 1_000; i++) client.send(authFrame(credentialOf(claims())))
    await asked.promise
    await settled(client)
    expect(verifications).toBe(2)
    client.send('a message')
    expect(await client.receive()).toBe('echo a message')
    release.resolve()
    expect(JSON.parse(String(await client.receive()))).toMatchObject({ type: 'auth_ok' })
    expect(kinds()).toEqual(['accepted', 'renewed'])
    expect(await sendAuth(client, credentialOf(claims()))).toMatchObject({ type: 'auth_ok' })
    expect(verifications).toBe(3)
    expect(seen).toEqual(['handler ada', 'a message'])
  })

  it('F12 that are bad count as failed attempts of the address, and then cost next to nothing', async () => {
    let verifications = 0
    const { clock, connect, reasons, guard } = live({
      verify: (credential, context) => {
        verifications++
        return verifyClaims(credential, context)
      },
    })
    const claims = () => ({ issuedAt: clock.now(), expiresAt: clock.now() + 10 * minute })
    const client = await connect(claims(), 'message', '192.0.2.7')
    for (let i = 0; i < 10; i++) expect(await sendAuth(client, `bad-${i}`)).toEqual({ type: 'auth_fail' })
    verifications = 0
    for (let i = 10; i < 200; i++) {
      client.send(authFrame(`bad-${i}`))
      await settled(client)
      // Its verdict comes some microtasks later.
      await nextTurn()
    }
    expect(verifications).toBe(20)
    expect(reasons().slice(0, 10)).toEqual(Array(10).fill('credential-unknown'))
    expect(new Set(reasons().slice(10))).toEqual(new Set(['attempts']))
    // The connection keeps the credential that it has, and a good one still renews it.
    clock.advance(1_000)
    expect(await sendAuth(client, credentialOf(claims()))).toMatchObject({ type: 'auth_ok' })
    expect(guard.connections.size).toBe(1)
    // Somebody at another address is not concerned.
    const other = await connect({ ...claims(), id: 'eve' }, 'message', '192.0.2.8')
    expect(await sendAuth(other, 'bad')).toEqual({ type: 'auth_fail' })
  })

  it('F12 that are bad, over HTTP, the same', async () => {
    let verifications = 0
    const { renew, connect, clock } = live({
      verify: (credential, context) => {
        verifications++
        return verifyClaims(credential, context)
      },
    })
    await connect({ session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + minute })
    for (let i = 0; i < 10; i++) expect((await renew(`bad-${i}`)).status).toBe(401)
    verifications = 0
    for (let i = 10; i < 100; i++) expect((await renew(`bad-${i}`)).status).toBe(429)
    expect(verifications).toBe(20)
    clock.advance(1_000)
    const fresh = credentialOf({ session: 's1', issuedAt: clock.now(), expiresAt: clock.now() + minute })
    expect((await renew(fresh)).status).toBe(200)
  })
})
