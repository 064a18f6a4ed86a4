import { jwt } from '@sallyport/server/jwt'
import { supabase } from '@sallyport/server/logins'
import { createServerClient } from '@supabase/ssr'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { startJsonServer } from '../support/json-server.js'
import { startLogin } from '../support/login.js'
import { signingPair, tokenBy } from '../support/tokens.js'

const minute = 60_000
const name = 'sb-127-auth-token'

/** A project whose auth server issues tokens as Supabase does, and an application that signs people in to it. */
async function start(metadata = {}) {
  const pair = signingPair('ES256', 'key-1')
  let issued = 0
  const project = await startJsonServer((response, { url, body }) => {
    if (url.endsWith('/jwks.json')) return response.end(JSON.stringify({ keys: [pair.jwk()] }))
    if (url.includes('/logout')) return response.writeHead(204).end()
    const { email = 'ada@example.com' } = JSON.parse(body || '{}') as { email?: string }
    const iat = Math.floor(Date.now() / 1000)
    const user = {
      id: email.split('@')[0],
      aud: 'authenticated',
      role: 'authenticated',
      email,
      user_metadata: metadata,
    }
    const claims = {
      iss: `${project.url}auth/v1`,
      aud: 'authenticated',
      sub: user.id,
      role: 'authenticated',
      aal: 'aal1',
      session_id: 'session-1',
      is_anonymous: false,
      jti: undefined,
      iat,
      exp: iat + 3600,
    }
    issued += 1
    const session = {
      access_token: tokenBy(pair, { header: { typ: 'JWT' }, claims }),
      token_type: 'bearer',
      expires_in: 3600,
      expires_at: iat + 3600,
      refresh_token: `refresh-${issued}`,
      user,
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(session))
  })
  const token = jwt({
    jwks: `${project.url}auth/v1/.well-known/jwks.json`,
    algorithms: ['ES256'],
    issuer: `${project.url}auth/v1`,
    audience: 'authenticated',
    sessionClaim: 'session_id',
  })
  const login = await startLogin(() => ({
    name,
    verify: supabase(token),
    async handle(request, response) {
      const client = createServerClient(project.url, 'anon-key', {
        // Which Node.js 20 has not.
        realtime: { transport: WebSocket as never },
        cookies: {
          getAll: () =>
            (request.headers.cookie ?? '').split('; ').flatMap((pair) => {
              const [name = '', value = ''] = pair.split(/=(.*)/s)
              return name ? [{ name, value: decodeURIComponent(value) }] : []
            }),
          setAll: (cookies) => {
            for (const { name, value, options } of cookies) {
              const age = options.maxAge === 0 ? '; Max-Age=0' : ''
              response.appendHeader('set-cookie', `${name}=${encodeURIComponent(value)}; Path=/${age}`)
            }
          },
        },
      })
      if (request.url === '/login') await client.auth.signInWithPassword({ email: 'ada@example.com', password: 'x' })
      if (request.url === '/refresh') await client.auth.refreshSession()
      if (request.url === '/logout') await client.auth.signOut({ scope: 'local' })
      response.end()
    },
  }))
  const browser = login.browser()
  return { ...login, browser, pair, project, token }
}

describe('a login by Supabase', () => {
  it.each<[string, number, object]>([
    ['one cookie', 1, {}],
    ['two chunks', 2, { about: 'x'.repeat(2_000) }],
    ['three chunks', 3, { about: 'x'.repeat(4_300) }],
  ])('comes in by %s', async (_, chunks, metadata) => {
    const { browser, connect, guard } = await start(metadata)
    await browser.fetch('/login')
    const names = [...browser.jar.keys()]
    expect(names).toEqual(chunks === 1 ? [name] : Array.from({ length: chunks }, (_, i) => `${name}.${i}`))
    expect((await connect(browser.cookies)).greeting).toBe('hello ada')
    expect([...guard.connections]).toMatchObject([{ session: 'session-1', method: 'cookie' }])
  })

  it('is renewed by the cookie of a refreshed session, and ends with its token', async () => {
    const { browser, connect, pass } = await start()
    await browser.fetch('/login')
    const { client } = await connect(browser.cookies)
    await pass(50 * minute)
    await browser.fetch('/refresh')
    const headers = { origin: 'https://app.example.com' }
    const response = await browser.fetch('/ws/renew', { method: 'POST', headers })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ expiresIn: expect.closeTo(3600, -1) })
    await pass(20 * minute)
    client.send('still here')
    expect(await client.text()).toBe('still here')
    await pass(41 * minute)
    expect(await client.closed).toMatchObject({ code: 4019 })
  })

  it('is revoked by its session_id', async () => {
    const { browser, connect, refused, guard } = await start()
    await browser.fetch('/login')
    const { client } = await connect(browser.cookies)
    await guard.revoke({ session: 'session-2' })
    expect(guard.connections.size).toBe(1)
    await guard.revoke({ session: 'session-1' })
    expect(await client.closed).toMatchObject({ code: 4010 })
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-revoked' })
  })

  it('E63 is whom the token names, and not whom the cookie names beside it', async () => {
    const { browser, connect, refused } = await start()
    await browser.fetch('/login')
    const cookie = decodeURIComponent(browser.jar.get(name)!)
    const session = JSON.parse(Buffer.from(cookie.slice(7), 'base64url').toString()) as { access_token: string }
    const write = (value: object) => `base64-${Buffer.from(JSON.stringify(value)).toString('base64url')}`
    expect((await connect(`${name}=${write({ ...session, user: { id: 'eve' } })}`)).greeting).toBe('hello ada')
    const forged = tokenBy(signingPair('ES256', 'key-1'), { claims: { sub: 'eve' } })
    expect(await refused(`${name}=${write({ ...session, access_token: forged })}`)).toEqual({
      code: 4001,
      reason: 'token-signature',
    })
    for (const bad of [
      write({ user: { id: 'eve' } }),
      write([session]),
      'base64-',
      'base64-%%%',
      '{"access_token":5}',
      cookie.slice(7),
    ]) {
      expect(await refused(`${name}=${encodeURIComponent(bad)}`), bad).toEqual({
        code: 4001,
        reason: 'credential-unreadable',
      })
    }
    // As it was written before it was encoded.
    await connect(`${name}=${encodeURIComponent(JSON.stringify(session))}`)
  })

  it('is remembered as its token is', async () => {
    const { browser, connect, token } = await start()
    await browser.fetch('/login')
    const cookie = decodeURIComponent(browser.jar.get(name)!)
    const verify = supabase(token)
    expect(verify.maxLifetime).toBe(token.maxLifetime)
    expect(verify.recall?.(cookie, Date.now())).toBeUndefined()
    await connect(browser.cookies)
    expect(verify.recall?.(cookie, Date.now())).toMatchObject({ identity: { id: 'ada' } })
    expect(supabase(() => ({ rejected: 'credential-unknown' })).recall).toBeUndefined()
  })
})
