import { hash } from '@sallyport/server'
import { expressSession } from '@sallyport/server/logins'
import express from 'express'
import session, { MemoryStore } from 'express-session'
import { describe, expect, it } from 'vitest'
import { lookedUpLoginContract, touchedLoginContract } from '../contract/login.js'
import { startLogin } from '../support/login.js'
import { TouchStore } from '../support/touch-store.js'
import { accepted, refused } from '../support/verification.js'

declare module 'express-session' {
  interface SessionData {
    userId: string
  }
}

const secret = 'a secret of the application'
const minute = 60_000
const name = 'connect.sid'

/** A store that can break. */
class Store extends MemoryStore {
  failure: (Error & { code?: string }) | undefined
  override get(id: string, callback: (error: unknown, found?: session.SessionData | null) => void): void {
    if (this.failure) callback(this.failure)
    else super.get(id, callback)
  }
}

const start = (options?: Partial<session.SessionOptions>) => startWith(new Store(), options)

async function startWith<S extends session.Store>(store: S, options: Partial<session.SessionOptions> = {}) {
  const app = express()
  const cookie = { maxAge: 10 * minute }
  app.use(session({ store, secret, resave: false, saveUninitialized: true, rolling: true, cookie, ...options }))
  app.post('/login', (request, response) => {
    request.session.userId = 'ada'
    response.send(request.sessionID)
  })
  app.get('/page', (_, response) => void response.send('a page'))
  app.post('/logout', (request, response) => request.session.destroy(() => response.send('bye')))
  const verify = expressSession({ store, secret }, ({ userId }) => (userId ? { id: userId } : undefined))
  const login = await startLogin(() => ({ handle: app, name, verify }))
  const browser = login.browser()
  const signIn = async () => (await browser.fetch('/login', { method: 'POST' })).text()
  const signOut = () => browser.fetch('/logout', { method: 'POST' })
  const visit = () => browser.fetch('/page')
  return { ...login, browser, signIn, signOut, visit, store }
}

describe('a login by express-session', () => {
  lookedUpLoginContract(start)
  touchedLoginContract(() => startWith(new TouchStore()))

  it('comes in by its cookie', async () => {
    const { browser, signIn, connect, guard } = await start()
    const id = await signIn()
    const { greeting } = await connect(browser.cookies)
    expect(greeting).toBe('hello ada')
    expect([...guard.connections]).toMatchObject([{ method: 'cookie', session: hash(id) }])
  })

  it('is nobody before anybody has signed in', async () => {
    const { browser, signIn, connect, refused } = await start()
    await browser.fetch('/page')
    expect(browser.jar.has(name)).toBe(true)
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    await signIn()
    await connect(browser.cookies)
  })

  it('is revoked by the id of its session at once', async () => {
    const { browser, signIn, connect, guard } = await start()
    const { client } = await signIn().then(() => connect(browser.cookies))
    const id = decodeURIComponent(browser.jar.get(name)!).slice(2).split('.')[0]!
    await guard.revoke({ session: hash('another') })
    expect(guard.connections.size).toBe(1)
    await guard.revoke({ session: hash(id) })
    expect(await client.closed).toMatchObject({ code: 4010 })
  })

  it('has no end where its cookie has none', async () => {
    const { browser, signIn, connect, guard } = await start({ cookie: {} })
    await signIn()
    await connect(browser.cookies)
    expect([...guard.connections][0]?.expiresAt).toBeUndefined()
  })

  it('B31 is refused with a signature that is not that of its id', async () => {
    const { browser, signIn, connect, refused } = await start()
    await signIn()
    const good = browser.jar.get(name)!
    const [id = '', mac = ''] = decodeURIComponent(good).slice(2).split('.')
    const unsigned = { code: 4001, reason: 'credential-unknown' }
    for (const bad of [
      id,
      `s:${id}`,
      `s:${id}.`,
      `s:${id}.${mac}A`,
      `s:${id}.${mac.slice(1)}`,
      `s:.${mac}`,
      `${id}.${mac}`,
      `x:${id}.${mac}`,
    ]) {
      expect(await refused(`${name}=${encodeURIComponent(bad)}`), bad).toEqual(unsigned)
    }
    await connect(`${name}=${good}`)
  })

  it('B31 is known by each secret while one replaces the other, and by no third', async () => {
    const { browser, signIn, store } = await start()
    await signIn()
    const cookie = decodeURIComponent(browser.jar.get(name)!)
    const identify = ({ userId }: session.SessionData) => ({ id: userId })
    for (const good of [secret, ['new', secret], Buffer.from(secret)]) {
      expect((await accepted(expressSession({ store, secret: good }, identify), cookie, Date.now())).identity.id).toBe(
        'ada',
      )
    }
    await refused(
      expressSession({ store, secret: ['new', 'newer'] }, identify),
      cookie,
      'credential-unknown',
      Date.now(),
    )
  })

  it('needs a secret and a store', () => {
    const store = new MemoryStore()
    for (const none of ['', [], ['new', ''], undefined, 5]) {
      expect(() => expressSession({ store, secret: none as string }, () => undefined)).toThrow('expressSession: secret')
    }
    expect(() => expressSession({ store: {} as MemoryStore, secret }, () => undefined)).toThrow('expressSession: store')
  })

  it('F52 is no bad session while its store is down', async () => {
    const { browser, signIn, connect, refused, store } = await start()
    await signIn()
    store.failure = new Error('ECONNREFUSED')
    expect(await refused(browser.cookies)).toEqual({ code: 1013, reason: 'dependency-unavailable' })
    // What a store of files says of a session that it does not have.
    store.failure = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    store.failure = undefined
    await connect(browser.cookies)
  })
})
