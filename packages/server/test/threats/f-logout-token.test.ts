import {
  createGuard,
  createRoutes,
  firstMessage,
  header,
  introspection,
  session,
  ticket,
  type Verifier,
} from '@sallyport/server'
import { jwt, logoutToken } from '@sallyport/server/jwt'
import { testClock, testServer } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { decodeRevocation, encodeRevocation } from '../../src/revocation/entry.js'
import { cutStore } from '../support/cut-store.js'
import { nextTurn } from '../support/deferred.js'
import { startJsonServer } from '../support/json-server.js'
import { audience, goodClaims, issuer, now, signingPair, tokenBy } from '../support/tokens.js'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const key = signingPair('ES256')
const otherKey = signingPair('ES256')
const rules = { publicKey: key.publicKey, algorithms: ['ES256'] as const, issuer, audience }

/** A good logout token but for `changes` to its claims: those that are `undefined` are removed. */
const logout = (changes: Record<string, unknown>, signer = key, typ = 'logout+jwt') =>
  tokenBy(signer, { header: { typ }, claims: { jti: 'logout-1', events: { [event]: {} }, ...changes } })

function setUp(verify: Verifier = jwt(rules)) {
  const clock = testClock(now)
  const way = cutStore(clock)
  way.look()
  const guard = createGuard({
    clock,
    store: way.store,
    accept: [ticket(), header({ verify }), firstMessage({ verify })],
  })
  const server = testServer(guard, () => {}, { clock })
  const routes = createRoutes(guard, { path: '/ws', logoutToken: logoutToken(rules) })
  const logOut = async (token: string) => {
    const body = new URLSearchParams({ logout_token: token })
    const request = new Request('http://test/ws/backchannel-logout', { method: 'POST', body })
    return (await routes.fetch(request))?.status
  }
  const headers = (changes: Record<string, unknown>) => ({
    Authorization: `Bearer ${tokenBy(key, { claims: changes })}`,
  })
  const connect = (changes: Record<string, unknown>) => server.connect({ headers: headers(changes) })
  const askTicket = async (changes: Record<string, unknown>) => {
    const answer = await server.fetch('/ws/ticket', { method: 'POST', headers: headers(changes) })
    return (await answer.json()) as { ticket: string }
  }
  const redeem = ({ ticket }: { ticket: string }) => server.connect({ query: `ticket=${ticket}` })
  return { clock, guard, server, logOut, connect, askTicket, redeem, way }
}

describe('F17 back-channel logout', () => {
  it('F16 closes the session that the token names, and no sibling', async () => {
    const { guard, logOut, connect } = setUp()
    const named = await connect({ sid: 's1', jti: 't1' })
    const sibling = await connect({ sid: 's2', jti: 't2' })
    expect(await logOut(logout({ sub: undefined, sid: 's1' }))).toBe(200)
    expect((await named.closed).code).toBe(4010)
    expect([...guard.connections].map(({ session }) => session)).toEqual(['s2'])
    await expect(connect({ sid: 's1', jti: 't3' })).rejects.toMatchObject({ status: 401 })
    sibling.dropNetwork()
  })

  it('F16 closes all sessions of a user without sid, and lets who logs in later in', async () => {
    const { guard, logOut, connect } = setUp()
    const ada = await connect({ sid: 's1' })
    const eve = await connect({ sid: 's2', sub: 'eve' })
    expect(await logOut(logout({ sub: 'ada' }))).toBe(200)
    expect((await ada.closed).code).toBe(4010)
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['eve'])
    const later = { sid: 's3', iat: now / 1000 - 9 }
    expect((await connect(later)).connection?.session).toBe('s3')
    eve.dropNetwork()
  })

  it('F17 takes a token once', async () => {
    const { logOut } = setUp()
    const token = logout({ sid: 's1' })
    expect(await logOut(token)).toBe(200)
    expect(await logOut(token)).toBe(400)
    expect(await logOut(logout({ sid: 's1', jti: 'logout-2' }))).toBe(200)
  })

  it.each<[string, string]>([
    ['another key', logout({ sid: 's1' }, otherKey)],
    ['another audience', logout({ sid: 's1', aud: 'https://other.example' })],
    ['another issuer', logout({ sid: 's1', iss: 'https://evil.example' })],
    ['a nonce', logout({ sid: 's1', nonce: 'n' })],
    ['no events', logout({ sid: 's1', events: undefined })],
    ['another event', logout({ sid: 's1', events: { other: {} } })],
    ['an event that is no object', logout({ sid: 's1', events: { [event]: true } })],
    ['no jti', logout({ sid: 's1', jti: undefined })],
    ['neither sub nor sid', logout({ sub: undefined })],
    ['a sid that is no text', logout({ sid: 7 })],
    ['a sub that is no whole number', logout({ sub: 1.5 })],
    ['a sub beyond what numbers tell apart', logout({ sub: 2 ** 53 })],
    ['a sub that is neither text nor number, beside a sid', logout({ sub: [42], sid: 's1' })],
    ['no iat', logout({ sid: 's1', iat: undefined })],
    ['an iat to come', logout({ sid: 's1', iat: now / 1000 + 60 })],
    ['no exp', logout({ sid: 's1', exp: undefined })],
    ['an exp that is over', logout({ sid: 's1', exp: now / 1000 - 60 })],
    ['the type of an access token', logout({ sid: 's1' }, key, 'at+jwt')],
    ['nothing', ''],
  ])('F17 refuses one with %s, and closes nothing', async (_, token) => {
    const { guard, logOut, connect } = setUp()
    const client = await connect({ sid: 's1' })
    expect(await logOut(token)).toBe(400)
    expect(guard.connections.size).toBe(1)
    expect(await logOut(logout({ sid: 's1' }))).toBe(200)
    expect((await client.closed).code).toBe(4010)
  })

  it('F17 never takes a logout token for a credential', async () => {
    const { connect } = setUp()
    await expect(connect({ events: { [event]: {} }, sid: 's1' })).rejects.toMatchObject({ status: 401 })
    expect((await connect({ sid: 's1' })).connection?.session).toBe('s1')
  })

  it('F17 answers 400 when the store cannot take it, which ends the session here all the same', async () => {
    const { guard, logOut, connect, way } = setUp()
    const reasons: string[] = []
    guard.subscribe((event) => event.type === 'refused' && reasons.push(event.reason))
    const [named, sibling] = [await connect({ sid: 's1' }), await connect({ sid: 's2' })]
    way.answers = false
    expect(await logOut(logout({ sid: 's1' }))).toBe(400)
    expect((await named.closed).code).toBe(4010)
    expect(reasons).toEqual(['dependency-unavailable'])
    way.answers = true
    expect(await logOut(logout({ sid: 's2', jti: 'logout-2' }))).toBe(200)
    expect((await sibling.closed).code).toBe(4010)
    expect(reasons).toHaveLength(1)
  })

  it('F17 waits for a verifier of your own as long as for any other', async () => {
    const { clock, guard } = setUp()
    const request = { method: 'POST', headers: [], target: '/ws/backchannel-logout', address: '' }
    const late = guard.logOut(request, 'token', () => new Promise(() => {}))
    clock.advance(4_999)
    expect(await Promise.race([late, nextTurn()])).toBeUndefined()
    clock.advance(1)
    expect(await late).toMatchObject({ reason: 'dependency-unavailable' })
    const prompt = guard.logOut(request, 'token', async () => ({ issuer, user: 'ada', at: now }))
    expect(await prompt).toEqual({ issuer, user: 'ada', at: now })
  })

  it('has no such route unless a verifier is given', async () => {
    const { guard } = setUp()
    const routes = createRoutes(guard, { path: '/ws' })
    const request = new Request('http://test/ws/backchannel-logout', { method: 'POST' })
    expect(await routes.fetch(request)).toBeUndefined()
  })
})

describe('F25 a back-channel logout ends what it says', () => {
  const later = { iat: now / 1000 + 1, exp: now / 1000 + 300 }

  it('F25 by sub and sid: that session, and what names no session; not the other sessions', async () => {
    const { clock, guard, logOut, connect } = setUp()
    const ended = [
      await connect({ sid: 's1', jti: 't1' }),
      await connect({ sid: undefined, jti: 't2' }),
      await connect({ sid: undefined, jti: undefined }),
    ]
    await connect({ sid: 's2', jti: 't3' })
    await connect({ sid: undefined, jti: 't4', sub: 'eve' })
    expect(await logOut(logout({ sub: 'ada', sid: 's1', iat: now / 1000 }))).toBe(200)
    for (const { closed } of ended) expect((await closed).code).toBe(4010)
    expect([...guard.connections].map(({ identity, token }) => [identity.id, token])).toEqual([
      ['ada', 't3'],
      ['eve', 't4'],
    ])
    for (const changes of [{ sid: 's1' }, { sid: undefined }, { sid: undefined, jti: undefined }]) {
      await expect(connect(changes)).rejects.toMatchObject({ status: 401 })
    }
    // Who logs in again is let in.
    clock.advance(1_000)
    await connect({ sid: undefined, ...later })
  })

  it('F25 also a ticket, and by a clock of the issuer that is ahead', async () => {
    const { clock, logOut, connect, askTicket, redeem } = setUp()
    const ahead = (seconds: number) => ({ sid: undefined, iat: now / 1000 + seconds, exp: now / 1000 + 300 })
    const before = await askTicket(ahead(3))
    expect(await logOut(logout({ sub: 'ada', sid: 's1', iat: now / 1000 + 3 }))).toBe(200)
    clock.advance(1_000)
    await expect(redeem(before)).rejects.toMatchObject({ status: 401 })
    await expect(connect(ahead(3))).rejects.toMatchObject({ status: 401 })
    await redeem(await askTicket(ahead(4)))
  })

  it.each<[string, Record<string, unknown>]>([
    ['sub', { sub: 'ada' }],
    ['sub and sid', { sub: 'ada', sid: 's9' }],
  ])('F25 where identify calls the user otherwise, by %s', async (_, named) => {
    const people: Record<string, { id: string }> = { ada: { id: '42' }, eve: { id: 'ada' } }
    const identify = ({ sub = '' }: { sub?: string }) => people[sub]
    const { clock, guard, logOut, connect, askTicket, redeem } = setUp(jwt({ ...rules, identify }))
    const ada = await connect({ sub: 'ada', sid: undefined })
    const before = await askTicket({ sub: 'ada', sid: undefined })
    await connect({ sub: 'eve', sid: undefined, jti: 't2' })
    expect(await logOut(logout({ ...named, iat: now / 1000 }))).toBe(200)
    expect((await ada.closed).code).toBe(4010)
    // Whom the application calls as the issuer calls another.
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['ada'])
    await expect(connect({ sub: 'ada', sid: undefined })).rejects.toMatchObject({ status: 401 })
    await expect(redeem(before)).rejects.toMatchObject({ status: 401 })
    clock.advance(1_000)
    await connect({ sub: 'ada', sid: undefined, ...later })
  })

  it.each<[string, unknown]>([
    ['a number', 42],
    ['its text', '42'],
  ])('F25 where the issuer calls the user by a number, by %s', async (_, sub) => {
    const identify = ({ sub: id }: { sub?: string }) => (id === undefined ? undefined : { id })
    const { guard, logOut, connect } = setUp(jwt({ ...rules, identify }))
    const named = await connect({ sub: 42, sid: undefined, jti: 't1' })
    await connect({ sub: 43, sid: undefined, jti: 't2' })
    expect(await logOut(logout({ sub }))).toBe(200)
    expect((await named.closed).code).toBe(4010)
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['43'])
  })

  it('F25 also a session of the application that says whom the issuer means, on whatever node it was renewed', async () => {
    const verify: Verifier = session((id) => ({
      identity: { id },
      subject: { id: `login-${id}`, issuer },
      session: 's',
    }))
    const { clock, guard, server, logOut, way } = setUp(verify)
    const other = createGuard({ clock, store: way.store, accept: [header({ verify })] })
    const connect = (id: string) => server.connect({ headers: { Authorization: `Bearer ${id}` } })
    const [ada] = [await connect('ada'), await connect('eve')]
    const renew = createRoutes(other, { path: '/ws' }).fetch(
      new Request('http://test/ws/renew', { method: 'POST', headers: { Authorization: 'Bearer ada' } }),
    )
    expect((await renew)?.status).toBe(200)
    expect(await logOut(logout({ sub: 'login-ada', iat: now / 1000 }))).toBe(200)
    expect((await ada.closed).code).toBe(4010)
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['eve'])
  })

  const other = 'https://other.example.com'
  const both = { ...rules, issuer: [issuer, other] }

  it('F25 no namesake of another issuer', async () => {
    const { guard, logOut, connect } = setUp(jwt(both))
    await connect({ iss: other, sid: undefined })
    const ada = await connect({ sid: undefined })
    expect(await logOut(logout({ sub: 'ada' }))).toBe(200)
    expect((await ada.closed).code).toBe(4010)
    expect([...guard.connections].map(({ identity }) => identity.issuer)).toEqual([other])
  })

  it.each<[string, Record<string, unknown>, Verifier]>([
    ['sid', { sub: undefined, sid: 's1' }, jwt(both)],
    ['sub and sid', { sub: 'ada', sid: 's1' }, jwt(both)],
    [
      'sid where identify names an issuer of its own',
      { sub: undefined, sid: 's1' },
      jwt({ ...both, identify: ({ sub = '' }) => ({ id: sub, issuer: 'us' }) }),
    ],
  ])('F25 no session of that name of another issuer, on any node, by %s', async (_, named, verify) => {
    const { clock, guard, server, logOut, connect, way } = setUp(verify)
    const second = createGuard({ clock, store: way.store, accept: [header({ verify })] })
    const nodes = [server, testServer(second, () => {}, { clock })]
    const claims = (iss: string) => ({ iss, jti: iss, sid: 's1' })
    const headers = (iss: string) => ({ Authorization: `Bearer ${tokenBy(key, { claims: claims(iss) })}` })
    const open = (iss: string) => Promise.all(nodes.map((node) => node.connect({ headers: headers(iss) })))
    const [, ended] = [await open(other), await open(issuer)]
    expect(await logOut(logout(named))).toBe(200)
    for (const { closed } of ended) expect((await closed).code).toBe(4010)
    for (const { connections } of [guard, second]) expect([...connections].map(({ token }) => token)).toEqual([other])
    await expect(connect(claims(issuer))).rejects.toMatchObject({ status: 401 })
    await connect(claims(other))
  })

  it('F25 also a session that does not say whose it is', async () => {
    const verify: Verifier = session((id) => ({ identity: { id }, session: 's1' }))
    const { server, logOut } = setUp(verify)
    const client = await server.connect({ headers: { Authorization: 'Bearer ada' } })
    expect(await logOut(logout({ sub: undefined, sid: 's1' }))).toBe(200)
    expect((await client.closed).code).toBe(4010)
  })

  it('F25 by the claim that the provider has for its sessions', async () => {
    const { guard, logOut, connect } = setUp(jwt({ ...rules, sessionClaim: 'session_id' }))
    const named = await connect({ session_id: 's1', sid: 'other' })
    await connect({ session_id: 's2', sid: 's1' })
    expect(await logOut(logout({ sub: undefined, sid: 's1' }))).toBe(200)
    expect((await named.closed).code).toBe(4010)
    expect([...guard.connections].map(({ session }) => session)).toEqual(['s2'])
    await expect(connect({ session_id: 7 })).rejects.toMatchObject({ status: 401 })
    expect(() => jwt({ ...rules, sessionClaim: '' })).toThrow('sessionClaim')
  })

  it('F25 also what an introspection says', async () => {
    const { url: endpoint } = await startJsonServer({ active: true, ...goodClaims({ session_id: 's1', sid: 'other' }) })
    const asked = { endpoint, clientId: 'chat', clientSecret: 'secret', issuer, audience, sessionClaim: 'session_id' }
    const { logOut, server } = setUp(introspection(asked))
    const client = await server.connect({ headers: { Authorization: 'Bearer opaque' } })
    expect(client.connection?.session).toBe('s1')
    expect(await logOut(logout({ sub: undefined, sid: 's1' }))).toBe(200)
    expect((await client.closed).code).toBe(4010)
  })

  it('F25 also who came in the second of the logout by a token that does not say when it was issued', async () => {
    const { url: endpoint } = await startJsonServer({ active: true, ...goodClaims({ iat: undefined, sid: undefined }) })
    const asked = { endpoint, clientId: 'chat', clientSecret: 'secret', issuer, audience, maxAge: 0 }
    const { clock, logOut, server } = setUp(introspection(asked))
    const connect = () => server.connect({ headers: { Authorization: 'Bearer opaque' } })
    clock.advance(500)
    const client = await connect()
    expect(await logOut(logout({ sub: 'ada', iat: now / 1000 }))).toBe(200)
    expect((await client.closed).code).toBe(4010)
    // The issuer says that it is good now.
    clock.advance(1)
    await connect()
  })

  it('I18 what a node does not know of it means everybody to it, never nobody', () => {
    const target = { subject: 'ada', issuer, issuedBefore: now, sessionless: true } as const
    const entry = encodeRevocation({ target, at: now })
    expect(decodeRevocation(entry, now).target).toEqual(target)
    // As a node reads it that knows none of its words.
    expect(decodeRevocation(entry.replace('"subject"', '"unknown"'), now).target).toEqual({ issuedBefore: now })
    expect(decodeRevocation(entry.replace(`"${issuer}"`, '7'), now).target).toEqual({ issuedBefore: now })
    expect(decodeRevocation(entry.replace('"issuedBefore"', '"unknown"'), now).target).toEqual('all')
    // A newer word is passed over, and then it means more.
    const ofSession = encodeRevocation({ target: { session: 's1', issuer }, at: now })
    expect(decodeRevocation(ofSession, now).target).toEqual({ session: 's1', issuer })
    expect(decodeRevocation(ofSession.replace('"issuer"', '"unknown"'), now).target).toEqual({ session: 's1' })
    const newer = entry.replace('"sessionless":true', '"sessionless":"of a device"')
    expect(decodeRevocation(newer, now).target).toEqual({ subject: 'ada', issuer, issuedBefore: now })
  })
})
