import { cookie, createGuard, hash } from '@sallyport/server'
import { type Middleware, nodeMiddleware } from '@sallyport/server/logins'
import express from 'express'
import session, { MemoryStore } from 'express-session'
import passport from 'passport'
import { describe, expect, it } from 'vitest'
import { lookedUpLoginContract, touchedLoginContract } from '../contract/login.js'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { startLogin } from '../support/login.js'
import { TouchStore } from '../support/touch-store.js'

declare global {
  namespace Express {
    interface User {
      readonly id: string
      readonly name: string
    }
  }
}

const minute = 60_000
const name = 'connect.sid'
const users = new Map<string, Express.User>([['ada', { id: 'ada', name: 'Ada' }]])

class ByName extends passport.Strategy {
  override readonly name = 'name'
  override authenticate(): void {
    this.success(users.get('ada')!)
  }
}

const start = (...more: Middleware<never>[]) => startWith(new MemoryStore(), ...more)

async function startWith(store: session.Store, ...more: Middleware<never>[]) {
  const logins = new passport.Passport()
  const state = { failure: undefined as Error | undefined }
  logins.use(new ByName())
  logins.serializeUser<string>((user, done) => done(null, user.id))
  logins.deserializeUser<string>((id, done) => done(state.failure, users.get(id)))
  const cookie = { maxAge: 10 * minute }
  const sessions = session({ store, secret: 'x', resave: false, saveUninitialized: true, rolling: true, cookie })
  const app = express()
  app.use(sessions, logins.session())
  app.post('/login', logins.authenticate('name'), (_, response) => void response.send('hello'))
  app.get('/page', (request, response) => void response.send(request.user?.name ?? 'nobody'))
  app.post('/logout', (request, response) => request.logout(() => response.send('bye')))
  const verify = nodeMiddleware({ cookie: name, use: [sessions, logins.session(), ...more] }, (request) => {
    const { user, session, sessionID } = request
    if (Number(session.cookie.maxAge) <= 0) session.touch()
    const expiresAt = session.cookie.expires?.getTime()
    return user && { identity: { id: user.id, name: user.name }, expiresAt, session: hash(sessionID) }
  })
  const login = await startLogin(() => ({ handle: app, name, verify }))
  const browser = login.browser()
  const signIn = () => browser.fetch('/login', { method: 'POST' })
  const signOut = () => browser.fetch('/logout', { method: 'POST' })
  const visit = () => browser.fetch('/page')
  return { ...login, browser, signIn, signOut, visit, store, state }
}

describe('a login by passport', () => {
  lookedUpLoginContract(start)
  touchedLoginContract(() => startWith(new TouchStore()))

  it('comes in by its cookie', async () => {
    const { browser, signIn, connect, refused, guard } = await start()
    await browser.fetch('/page')
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    await signIn()
    expect(await (await browser.fetch('/page')).text()).toBe('Ada')
    expect((await connect(browser.cookies)).greeting).toBe('hello ada')
    expect([...guard.connections]).toMatchObject([{ identity: { id: 'ada', name: 'Ada' } }])
  })

  it('is not prolonged by its socket', async () => {
    const { browser, signIn, connect, pass, store } = await start()
    await signIn()
    await connect(browser.cookies)
    const before = JSON.stringify(Reflect.get(store, 'sessions'))
    await pass(8 * minute)
    expect(JSON.stringify(Reflect.get(store, 'sessions'))).toBe(before)
  })

  it('B31 is refused with another signature', async () => {
    const { browser, signIn, connect, refused } = await start()
    await signIn()
    const good = browser.jar.get(name)!
    expect(await refused(`${name}=${good.slice(0, -2)}`)).toEqual({ code: 4001, reason: 'credential-unknown' })
    await connect(browser.cookies)
  })

  it('F52 is no bad session while its users cannot be looked up', async () => {
    const { browser, signIn, connect, refused, state } = await start()
    await signIn()
    state.failure = new Error('ECONNREFUSED')
    expect(await refused(browser.cookies)).toEqual({ code: 1013, reason: 'dependency-unavailable' })
    state.failure = undefined
    await connect(browser.cookies)
  })
})

describe('E64 middleware that verifies', () => {
  const passes: Middleware<unknown> = (_request, _response, next) => next()
  const cases: [string, Middleware<unknown>, { code: number; reason: string }][] = [
    [
      'answers by itself',
      (_, response: { end(): void }) => response.end(),
      { code: 4001, reason: 'credential-unknown' },
    ],
    ['throws', () => fail(), { code: 1011, reason: 'internal-error' }],
    ['throws later', async () => fail(), { code: 1011, reason: 'internal-error' }],
    [
      'hands on that nobody has signed in',
      (_request, _response, next) => next(Object.assign(new Error('Unauthorized'), { status: 401 })),
      { code: 4001, reason: 'credential-unknown' },
    ],
    [
      'hands on an error',
      (_request, _response, next) => next(new Error('down')),
      { code: 1013, reason: 'dependency-unavailable' },
    ],
  ]
  const fail = () => {
    throw new Error('bug')
  }

  it.each(cases)('E64 and %s lets nobody in, and ends nothing', async (_, middleware, answer) => {
    const broken = await start(middleware)
    await broken.signIn()
    expect(await broken.refused(broken.browser.cookies)).toEqual(answer)
    const whole = await start(passes)
    await whole.signIn()
    await whole.connect(whole.browser.cookies)
  })

  it('E64 and never goes on is late, like every verifier', async () => {
    const decide = async (middleware: Middleware<unknown>) => {
      const clock = testClock()
      const verify = nodeMiddleware({ cookie: 'session', use: [middleware] }, () => ({ identity: { id: 'ada' } }))
      const guard = createGuard({ clock, origins: [origin], accept: [cookie({ name: 'session', verify })] })
      const headers: [string, string][] = [
        ['cookie', 'session=x'],
        ['origin', origin],
      ]
      const verdict = guard.decide(handshake({ headers }))
      await nextTurn()
      clock.advance(5_000)
      return verdict
    }
    expect(await decide(() => {})).toMatchObject({ type: 'refuse', reason: 'dependency-unavailable' })
    expect(await decide(passes)).toMatchObject({ type: 'accept', identity: { id: 'ada' } })
  })

  it('E63 sees the cookie and the path, and nothing else of the handshake', async () => {
    const seen: object[] = []
    const look: Middleware<{ headers: object; url: string; method: string }> = ({ headers, url, method }, _, next) => {
      seen.push({ headers: { ...headers }, url, method })
      next()
    }
    const { browser, signIn, connect } = await start(look)
    await signIn()
    const cookies = `other=secret; ${browser.cookies}`
    await connect(cookies, { authorization: 'Basic eDp5', 'x-forwarded-user': 'eve' }, '?key=secret')
    expect(seen).toEqual([{ headers: { cookie: browser.cookies }, url: '/ws', method: 'GET' }])
  })

  it('needs the name of the cookie, and functions', () => {
    const find = () => undefined
    expect(() => nodeMiddleware({ cookie: '', use: [passes] }, find)).toThrow('nodeMiddleware: cookie')
    expect(() => nodeMiddleware({ cookie: name, use: [] as never }, find)).toThrow('nodeMiddleware: use')
    expect(() => nodeMiddleware({ cookie: name, use: ['x'] as never }, find)).toThrow('nodeMiddleware: use')
  })
})
