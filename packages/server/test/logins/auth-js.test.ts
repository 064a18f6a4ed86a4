import { Auth, type AuthConfig } from '@auth/core'
import { decode, encode } from '@auth/core/jwt'
import credentials from '@auth/core/providers/credentials'
import { getRequestListener } from '@hono/node-server'
import { authJs } from '@sallyport/server/logins'
import { describe, expect, it } from 'vitest'
import { startLogin } from '../support/login.js'

const name = 'authjs.session-token'
const secret = 'the AUTH_SECRET of the application'

/** `padding` characters in the token make the cookie so long. */
async function start({ padding = 0, ...changes }: Partial<AuthConfig> & { padding?: number } = {}) {
  const config: AuthConfig = {
    secret,
    basePath: '/auth',
    trustHost: true,
    providers: [credentials({ credentials: {}, authorize: () => ({ id: 'ada', name: 'Ada' }) })],
    session: { maxAge: 600 },
    callbacks: { jwt: ({ token }) => ({ ...token, padding: 'x'.repeat(padding) }) },
    logger: { error() {}, warn() {}, debug() {} },
    ...changes,
  }
  const verify = authJs({ decode, secret, salt: name }, ({ sub, name }) => (sub ? { id: sub, name } : undefined))
  const handle = getRequestListener((request) => Auth(request, config))
  const login = await startLogin(() => ({ handle, name, verify }))
  const browser = login.browser()
  async function post(path: string) {
    const { csrfToken } = (await (await browser.fetch('/auth/csrf')).json()) as { csrfToken: string }
    await browser.fetch(path, { method: 'POST', body: new URLSearchParams({ csrfToken }) })
  }
  const signIn = () => post('/auth/callback/credentials')
  /** The cookies that are the session's. */
  const sessionCookies = () => [...browser.jar.keys()].filter((one) => one.startsWith(name))
  return { ...login, browser, signIn, signOut: () => post('/auth/signout'), sessionCookies }
}

describe('a login by Auth.js', () => {
  it('comes in by its cookie, and lives as long as that', async () => {
    const { browser, signIn, sessionCookies, connect, pass, guard } = await start()
    await signIn()
    expect(sessionCookies()).toEqual([name])
    const { client, greeting } = await connect(browser.cookies)
    expect(greeting).toBe('hello ada')
    expect([...guard.connections]).toMatchObject([{ identity: { id: 'ada', name: 'Ada' } }])
    await pass(606_000)
    expect(await client.closed).toMatchObject({ code: 4019 })
  })

  it('comes in by its chunks', async () => {
    const { browser, signIn, sessionCookies, connect, refused } = await start({ padding: 4_000 })
    await signIn()
    expect(sessionCookies()).toEqual([`${name}.0`, `${name}.1`])
    expect((await connect(browser.cookies)).greeting).toBe('hello ada')
    browser.jar.delete(`${name}.1`)
    expect(await refused(browser.cookies)).toMatchObject({ code: 4001 })
    browser.jar.set(`${name}.1`, browser.jar.get(`${name}.0`)!)
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unreadable' })
  })

  it('is renewed by a newer cookie, and revoked by its user', async () => {
    const { browser, signIn, connect, refused, pass, guard } = await start()
    await signIn()
    const { client } = await connect(browser.cookies)
    const body = JSON.stringify({ connection: [...guard.connections][0]?.id })
    await pass(400_000)
    await browser.fetch('/auth/session') // writes a newer cookie
    const headers = { origin: 'https://app.example.com' }
    expect((await browser.fetch('/ws/renew', { method: 'POST', body, headers })).status).toBe(200)
    await pass(400_000)
    client.send('still here')
    expect(await client.text()).toBe('still here')
    await guard.revoke({ user: 'ada' })
    expect(await client.closed).toMatchObject({ code: 4010 })
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-revoked' })
  })

  it('E65 stays revoked however it is spelled', async () => {
    const { browser, signIn, connect, refused, guard } = await start()
    await signIn()
    const good = browser.jar.get(name)!
    const [head, key, iv, text, tag = ''] = good.split('.')
    // Another last character, of which decoders look at no more than the upper bits.
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = digits.indexOf(tag.at(-1)!)
    const other = [head, key, iv, text, tag.slice(0, -1) + digits[last ^ 1]].join('.')
    await connect(`${name}=${other}`)
    const { client } = await connect(browser.cookies)
    const [one, two] = guard.connections
    expect(one?.session).toBe(two?.session)
    await guard.revoke({ session: one!.session! })
    expect(await client.closed).toMatchObject({ code: 4010 })
    for (const spelling of [good, other]) {
      expect(await refused(`${name}=${spelling}`)).toEqual({ code: 4001, reason: 'credential-revoked' })
    }
  })

  it('is nobody after the sign-out of its browser', async () => {
    const { browser, signIn, signOut, sessionCookies, connect } = await start()
    await signIn()
    await connect(browser.cookies)
    await signOut()
    expect(sessionCookies()).toEqual([])
  })

  it.each<[string, Partial<AuthConfig>]>([
    ['another secret', { secret: 'the AUTH_SECRET of another application' }],
    // As the login under another name would have it.
    ['another salt', { jwt: { encode: ({ salt: _, ...rest }) => encode({ ...rest, salt: 'other' }) } }],
  ])('B31 is refused when it was encrypted with %s', async (_, config) => {
    const other = await start(config)
    await other.signIn()
    const { browser, signIn, connect, refused } = await start()
    const foreign = other.browser.jar.get(name)!
    expect(await refused(`${name}=${foreign}`)).toEqual({ code: 4001, reason: 'credential-unreadable' })
    await signIn()
    await connect(browser.cookies)
  })

  it('B31 is refused when anything is changed, or is no token', async () => {
    const { browser, signIn, connect, refused } = await start()
    await signIn()
    const good = browser.jar.get(name)!
    for (const bad of [`A${good}`, good.slice(0, -2), good.replace(/\.[^.]+$/, '.AAAA'), 'a.b.c', 'a..b.c.d', '{}']) {
      expect(await refused(`${name}=${encodeURIComponent(bad)}`)).toEqual({
        code: 4001,
        reason: 'credential-unreadable',
      })
    }
    await connect(browser.cookies)
  })

  it('needs its secret, and the name of its cookie', () => {
    const identify = () => undefined
    expect(() => authJs({ decode, secret: '', salt: name }, identify)).toThrow('authJs: secret')
    expect(() => authJs({ decode, secret, salt: undefined as never }, identify)).toThrow('authJs: decode')
    expect(() => authJs({ decode: undefined as never, secret, salt: name }, identify)).toThrow('authJs: decode')
    expect(() => authJs({ decode, secret: [secret, 'older'], salt: name }, identify)).not.toThrow()
  })
})
