import { randomUUID } from 'node:crypto'
import { discover, jwks, jwt, logoutToken } from '@sallyport/server/jwt'
import { supabase } from '@sallyport/server/logins'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { live } from '../support/live.js'
import { algorithms, iat, keySet, pair, provider, web } from '../support/provider.js'
import { auth0, keycloak, providers } from '../support/providers.js'
import { now, tokenBy } from '../support/tokens.js'
import { accepted, refused } from '../support/verification.js'

const minute = 60_000

describe.each(Object.entries(providers))('%s', (_, { verify, lifetime, header = {}, claims, session, others }) => {
  const token = (changes: Record<string, unknown> = {}) =>
    tokenBy(pair, {
      header: { typ: 'JWT', ...header },
      claims: { jti: undefined, iat, exp: iat + lifetime, ...claims, ...changes },
    })

  it('says whose its access token is, until when, and by what name it is revoked', async () => {
    const verified = await accepted(verify, token(), now)
    expect(verified.identity.id).toBe(claims.uid ?? claims.oid ?? claims.sub)
    expect(verified.identity.issuer).toBe(claims.iss)
    expect(verified.session).toBe(session)
    expect(verified.token).toBe(claims.jti)
    expect(verified.expiresAt! - verified.issuedAt!).toBe(1000 * lifetime)
  })

  it.each(Object.entries(others))('B40 is not for us with %s', async (_, [changes, reason]) => {
    await refused(verify, token(changes), reason, now)
    await accepted(verify, token(), now)
  })

  it('B08 expires', async () => {
    await accepted(verify, token(), now)
    await refused(verify, token(), 'credential-expired', now + 1000 * (lifetime + 5))
  })
})

describe('a session cookie of Firebase', () => {
  const address = 'https://identitytoolkit.googleapis.com/v1/sessionCookiePublicKeys'
  const issuer = 'https://session.firebase.google.com/chat-1234'
  const twoWeeks = 1_209_600
  const options = {
    jwks: jwks(address, { fetch: web({ [address]: keySet }) }),
    algorithms,
    issuer,
    audience: 'chat-1234',
  }
  const claims = { iss: issuer, aud: 'chat-1234', sub: 'ada', user_id: 'ada', iat, exp: iat + twoWeeks, jti: undefined }

  it('lives longer than a day, where that is allowed', async () => {
    const cookie = tokenBy(pair, { header: { typ: 'JWT' }, claims })
    await accepted(jwt({ ...options, maxLifetime: twoWeeks }), cookie, now)
    await refused(jwt(options), cookie, 'credential-lifetime', now)
  })
})

describe('a connection that came by a token of Clerk, which lives a minute', () => {
  function start() {
    const clock = testClock(now)
    const { verify } = providers.Clerk!
    const set = live({ clock, verify })
    const token = (changes: Record<string, unknown> = {}) => {
      const at = clock.now() / 1000
      const claims = { ...providers.Clerk!.claims, jti: undefined, iat: at, nbf: at - 10, exp: at + 60, ...changes }
      return tokenBy(pair, { header: { typ: 'JWT' }, claims })
    }
    return { ...set, token }
  }

  it.each(['header', 'cookie', 'query', 'subprotocol', 'message'] as const)(
    'ends with it, unless a newer token of its session renews it: by %s',
    async (way) => {
      const { clock, connect, renew, token, guard } = start()
      const client = await connect(token(), way)
      for (let i = 0; i < 10; i++) {
        clock.advance(50_000)
        expect((await renew(token())).status).toBe(200)
      }
      expect([...guard.connections]).toMatchObject([{ session: 'sess_2V9', identity: { id: 'user_2V8' } }])
      clock.advance(minute + 5_000)
      expect(await client.closed).toMatchObject({ code: 4019 })
    },
  )

  it('is renewed by no other session', async () => {
    const { clock, connect, renew, token } = start()
    const client = await connect(token())
    clock.advance(50_000)
    expect((await renew(token({ sid: 'sess_other' }))).status).toBe(404)
    expect((await renew(token({ sub: 'user_other' }))).status).toBe(403)
    clock.advance(20_000)
    expect(await client.closed).toMatchObject({ code: 4019 })
  })

  it('ends when its session does, and stays outside with the tokens that are left', async () => {
    const { connect, token, guard, reasons } = start()
    const left = token()
    const client = await connect(token())
    await guard.revoke({ session: 'sess_2V9' })
    expect(await client.closed).toMatchObject({ code: 4010 })
    await expect(connect(left)).rejects.toThrow()
    expect(reasons()).toEqual(['credential-revoked'])
  })
})

describe('the cookie of Supabase', () => {
  it('is its token in an envelope', async () => {
    const { verify, claims } = providers.Supabase!
    const token = tokenBy(pair, { header: { typ: 'JWT' }, claims: { ...claims, jti: undefined, iat, exp: iat + 3600 } })
    const cookie = `base64-${Buffer.from(JSON.stringify({ access_token: token })).toString('base64url')}`
    expect(await accepted(supabase(verify), cookie, now)).toEqual(await accepted(verify, token, now))
    await refused(verify, cookie, 'credential-unreadable', now)
  })
})

describe.each([
  ['Auth0', auth0, `${auth0}.well-known/jwks.json`],
  ['Keycloak', keycloak, `${keycloak}/protocol/openid-connect/certs`],
])('a back-channel logout of %s', (_, issuer, jwksUri) => {
  it('names the session, by the keys of the tokens', async () => {
    const verify = logoutToken({
      jwks: discover(issuer, provider(issuer, jwksUri)),
      algorithms,
      issuer,
      audience: 'chat',
    })
    const event = 'http://schemas.openid.net/event/backchannel-logout'
    const claims = { iss: issuer, aud: 'chat', sid: 's-1', sub: 'ada', jti: randomUUID(), iat, exp: iat + 120 }
    const token = tokenBy(pair, { header: { typ: 'logout+jwt' }, claims: { ...claims, events: { [event]: {} } } })
    expect(await verify(token, now)).toMatchObject({ issuer, session: 's-1', user: 'ada' })
  })
})
