import { betterAuth } from '@sallyport/server/logins'
import { betterAuth as createAuth } from 'better-auth'
import { type MemoryDB, memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { bearer } from 'better-auth/plugins'
import { describe, expect, it } from 'vitest'
import { lookedUpLoginContract } from '../contract/login.js'
import { altered } from '../support/altered.js'
import { startLogin } from '../support/login.js'

const name = 'better-auth.session_token'
const minute = 60_000

async function start() {
  const tables: MemoryDB = { user: [], session: [], account: [], verification: [] }
  const create = (baseURL: string) =>
    createAuth({
      baseURL,
      secret: 'a secret of more than 32 characters',
      database: memoryAdapter(tables),
      emailAndPassword: { enabled: true },
      session: { expiresIn: 600, updateAge: 60, cookieCache: { enabled: true, maxAge: 300 } },
      user: { additionalFields: { role: { type: 'string', required: false, defaultValue: 'writer' } } },
      plugins: [bearer()],
      logger: { disabled: true },
    })
  let auth: ReturnType<typeof create> | undefined
  const login = await startLogin((url) => {
    auth = create(url)
    const verify = betterAuth(auth, ({ user }) => ({ id: user.id, name: user.name, role: user.role }))
    return { handle: toNodeHandler(auth), name, verify }
  })
  const browser = login.browser()
  async function call(path: string, body?: object) {
    const headers = { origin: login.url, 'content-type': 'application/json' }
    const init = body ? { method: 'POST', body: JSON.stringify(body) } : {}
    const response = await browser.fetch(`/api/auth/${path}`, { ...init, headers })
    expect(response.status).toBe(200)
    return response
  }
  const signIn = async () => {
    const login = { email: 'ada@example.com', password: 'correct horse' }
    const isNew = tables.user!.length === 0
    const response = await (isNew ? call('sign-up/email', { ...login, name: 'Ada' }) : call('sign-in/email', login))
    return (await response.json()) as { token: string; user: { id: string } }
  }
  const signOut = () => call('sign-out', {})
  const visit = () => call('get-session?disableCookieCache=true')
  return { ...login, browser, call, signIn, signOut, visit, tables, auth: auth! }
}

describe('a login by better-auth', () => {
  lookedUpLoginContract(start)

  it('comes in by its cookie', async () => {
    const { browser, signIn, connect, guard, tables } = await start()
    const { user } = await signIn()
    // What the cookie cache holds is not asked: it outlives a sign-out.
    expect(browser.cookies).toContain('better-auth.session_data')
    const { greeting } = await connect(browser.cookies)
    expect(greeting).toBe(`hello ${user.id}`)
    const [session] = tables.session!
    expect([...guard.connections]).toMatchObject([
      { session: session?.id, identity: { id: user.id, name: 'Ada', role: 'writer' } },
    ])
  })

  it('is revoked by the id of its session at once', async () => {
    const { browser, signIn, connect, guard, tables } = await start()
    await signIn()
    const { client } = await connect(browser.cookies)
    await guard.revoke({ session: 'another' })
    expect(guard.connections.size).toBe(1)
    await guard.revoke({ session: `${tables.session![0]?.id}` })
    expect(await client.closed).toMatchObject({ code: 4010 })
  })

  it('is not prolonged by its socket', async () => {
    const { browser, signIn, connect, pass, tables } = await start()
    await signIn()
    const before = `${tables.session![0]?.expiresAt}`
    await pass(5 * minute)
    await connect(browser.cookies)
    expect(`${tables.session![0]?.expiresAt}`).toBe(before)
  })

  it('E63 is looked for in the cookie alone, though its library looks elsewhere too', async () => {
    const { browser, signIn, connect, refused, auth } = await start()
    const { token } = await signIn()
    const bad = `${name}=bad.signature`
    const authorization = `Bearer ${token}`
    // The library would take the handshake for that of somebody known.
    expect(await auth.api.getSession({ headers: new Headers({ cookie: bad, authorization }) })).not.toBeNull()
    expect(await refused(bad, { authorization })).toEqual({ code: 4001, reason: 'credential-unknown' })
    await connect(browser.cookies)
  })

  it('B31 is refused with a signature that is not that of its token', async () => {
    const { browser, signIn, connect, refused } = await start()
    const { token } = await signIn()
    const good = decodeURIComponent(browser.jar.get(name)!)
    const smuggled = `x; ${name}=${good}`
    for (const bad of [token, `${good}; x=1`, `${token}.`, altered(good, -3), `x${good}`, smuggled]) {
      const answer = await refused(`${name}=${encodeURIComponent(bad)}`)
      expect(answer, bad).toEqual({ code: 4001, reason: 'credential-unknown' })
    }
    await connect(browser.cookies)
  })

  it('F52 is no bad session while its database is down', async () => {
    const { browser, signIn, connect, refused, tables } = await start()
    await signIn()
    const { session: value } = tables
    const fail = () => {
      throw new Error('ECONNREFUSED')
    }
    Object.defineProperty(tables, 'session', { get: fail, configurable: true })
    expect(await refused(browser.cookies)).toEqual({ code: 1013, reason: 'dependency-unavailable' })
    Object.defineProperty(tables, 'session', { value })
    await connect(browser.cookies)
  })
})
