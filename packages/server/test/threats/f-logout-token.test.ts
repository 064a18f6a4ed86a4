import { createGuard, createRoutes, firstMessage, header } from '@sallyport/server'
import { jwt, logoutToken } from '@sallyport/server/jwt'
import { testClock, testServer } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { cutStore } from '../support/cut-store.js'
import { audience, issuer, now, signingPair, tokenBy } from '../support/tokens.js'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const key = signingPair('ES256')
const otherKey = signingPair('ES256')
const rules = { publicKey: key.publicKey, algorithms: ['ES256'] as const, issuer, audience }

/** A good logout token but for `changes` to its claims: those that are `undefined` are removed. */
const logout = (changes: Record<string, unknown>, signer = key, typ = 'logout+jwt') =>
  tokenBy(signer, { header: { typ }, claims: { jti: 'logout-1', events: { [event]: {} }, ...changes } })

function setUp() {
  const clock = testClock(now)
  const way = cutStore(clock)
  way.look()
  const verify = jwt(rules)
  const guard = createGuard({ clock, store: way.store, accept: [header({ verify }), firstMessage({ verify })] })
  const server = testServer(guard, () => {}, { clock })
  const routes = createRoutes(guard, { path: '/ws', logoutToken: logoutToken(rules) })
  const logOut = async (token: string) => {
    const body = new URLSearchParams({ logout_token: token })
    const request = new Request('http://test/ws/backchannel-logout', { method: 'POST', body })
    return (await routes.fetch(request))?.status
  }
  const connect = (changes: Record<string, unknown>) =>
    server.connect({ headers: { Authorization: `Bearer ${tokenBy(key, { claims: changes })}` } })
  return { guard, logOut, connect, way }
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

  it('F17 answers 503 when the store cannot take it, which ends the session here all the same', async () => {
    const { guard, logOut, connect, way } = setUp()
    const reasons: string[] = []
    guard.subscribe((event) => event.type === 'refused' && reasons.push(event.reason))
    const [named, sibling] = [await connect({ sid: 's1' }), await connect({ sid: 's2' })]
    way.answers = false
    expect(await logOut(logout({ sid: 's1' }))).toBe(503)
    expect((await named.closed).code).toBe(4010)
    expect(reasons).toEqual(['dependency-unavailable'])
    way.answers = true
    expect(await logOut(logout({ sid: 's2', jti: 'logout-2' }))).toBe(200)
    expect((await sibling.closed).code).toBe(4010)
    expect(reasons).toHaveLength(1)
  })

  it('has no such route unless a verifier is given', async () => {
    const { guard } = setUp()
    const routes = createRoutes(guard, { path: '/ws' })
    const request = new Request('http://test/ws/backchannel-logout', { method: 'POST' })
    expect(await routes.fetch(request)).toBeUndefined()
  })
})
