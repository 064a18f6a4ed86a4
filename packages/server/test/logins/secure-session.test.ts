import { randomBytes } from 'node:crypto'
import secureSession from '@fastify/secure-session'
import { sealed } from '@sallyport/server'
import { fastify } from 'fastify'
import { describe, expect, it } from 'vitest'
import { altered } from '../support/altered.js'
import { origin } from '../support/guard.js'
import { startLogin } from '../support/login.js'

const expiry = 600
const minute = 60_000

async function start(key = randomBytes(32)) {
  const app = fastify()
  await app.register(secureSession, { key, expiry, cookie: { path: '/' } })
  app.post('/login', async (request) => {
    Object.assign(request.session, { userId: 'ada' })
    return 'hello'
  })
  app.get('/page', async (request) => {
    request.session.touch()
    return 'a page'
  })
  await app.ready()
  const verify = sealed(
    (value) => app.decodeSecureSession(value),
    (session) => {
      const [id, since]: [string | undefined, number] = [session.get('userId'), 1000 * session.get('__ts')]
      const expiresAt = since + 1000 * expiry
      return id ? { identity: { id }, issuedAt: since, expiresAt, session: `${id} ${since}` } : undefined
    },
  )
  const login = await startLogin(() => ({ handle: app.routing, name: 'session', verify }))
  const browser = login.browser()
  const signIn = () => browser.fetch('/login', { method: 'POST' })
  return { ...login, browser, signIn, app }
}

describe('a login by @fastify/secure-session', () => {
  it('comes in by its cookie, and lives as long as that', async () => {
    const { browser, signIn, connect, refused, pass } = await start()
    await browser.fetch('/page')
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    await signIn()
    const { client, greeting } = await connect(browser.cookies)
    expect(greeting).toBe('hello ada')
    await pass(10 * minute + 6_000)
    expect(await client.closed).toMatchObject({ code: 4019 })
    expect(await refused(browser.cookies)).toMatchObject({ code: 4001 })
  })

  it('is renewed by a newer cookie', async () => {
    const { browser, signIn, connect, guard, pass } = await start()
    await signIn()
    const { client } = await connect(browser.cookies)
    const body = JSON.stringify({ connection: [...guard.connections][0]?.id })
    await pass(5 * minute)
    await browser.fetch('/page')
    const response = await browser.fetch('/ws/renew', { method: 'POST', body, headers: { origin } })
    expect(response.status).toBe(200)
    await pass(6 * minute) // eleven minutes after the login
    client.send('still here')
    expect(await client.text()).toBe('still here')
  })

  it('E65 stays revoked however it is spelled', async () => {
    const { browser, signIn, connect, refused, guard, pass } = await start()
    await signIn()
    const good = decodeURIComponent(browser.jar.get('session')!)
    const spellings = [good, `${good};`, `${good};x`, good.replaceAll('=', ''), `${good} `].map(encodeURIComponent)
    for (const one of spellings) await connect(`session=${one}`)
    await guard.revoke({ session: [...guard.connections][0]!.session! })
    expect(guard.connections.size).toBe(0)
    for (const one of spellings) {
      expect(await refused(`session=${one}`)).toEqual({ code: 4001, reason: 'credential-revoked' })
    }
    await pass(1_000)
    await signIn()
    await connect(browser.cookies)
  })

  it('B31 is refused when another key has sealed it, or anything is changed', async () => {
    const other = await start()
    await other.signIn()
    const { browser, signIn, connect, refused } = await start()
    await signIn()
    const good = decodeURIComponent(browser.jar.get('session')!)
    for (const bad of [
      other.browser.jar.get('session')!,
      ...[good.replace(';', ''), altered(good, 0), altered(good, -1), good.split(';')[0]!].map(encodeURIComponent),
    ]) {
      expect(await refused(`session=${bad}`)).toMatchObject({ code: 4001 })
    }
    await connect(browser.cookies)
  })
})
