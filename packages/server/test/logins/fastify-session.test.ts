import fastifyCookie from '@fastify/cookie'
import fastifySessionPlugin, { MemoryStore } from '@fastify/session'
import { hash } from '@sallyport/server'
import { fastifySession } from '@sallyport/server/logins'
import { fastify } from 'fastify'
import { describe, expect, it } from 'vitest'
import { lookedUpLoginContract } from '../contract/login.js'
import { startLogin } from '../support/login.js'

declare module 'fastify' {
  interface Session {
    userId?: string
  }
}

const secret = 'a secret of the application, and a long one'
const minute = 60_000

async function start(cookiePrefix = '') {
  const store = new MemoryStore()
  const app = fastify()
  app.register(fastifyCookie)
  app.register(fastifySessionPlugin, { store, secret, cookiePrefix, cookie: { secure: false, maxAge: 10 * minute } })
  app.post('/login', async (request) => {
    request.session.userId = 'ada'
    return request.session.sessionId
  })
  app.get('/page', async () => 'a page')
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return 'bye'
  })
  await app.ready()
  const verify = fastifySession({ store, secret, cookiePrefix }, ({ userId }) => (userId ? { id: userId } : undefined))
  const login = await startLogin(() => ({ handle: app.routing, name: 'sessionId', verify }))
  const browser = login.browser()
  const signIn = async () => (await browser.fetch('/login', { method: 'POST' })).text()
  const signOut = () => browser.fetch('/logout', { method: 'POST' })
  const visit = () => browser.fetch('/page')
  return { ...login, browser, signIn, signOut, visit, store }
}

describe('a login by @fastify/session', () => {
  lookedUpLoginContract(start)

  it.each(['', 's:'])('comes in by its cookie with the prefix %j', async (prefix) => {
    const { browser, signIn, connect, refused, guard } = await start(prefix)
    await browser.fetch('/page')
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    const id = await signIn()
    const { greeting } = await connect(browser.cookies)
    expect(greeting).toBe('hello ada')
    expect([...guard.connections]).toMatchObject([{ method: 'cookie', session: hash(id) }])
  })

  it.each(['', 's:'])(
    'B49 is over at its end, with the prefix %j, although its store drops nothing',
    async (prefix) => {
      const { browser, signIn, connect, refused, pass, store } = await start(prefix)
      const id = await signIn()
      await connect(browser.cookies)
      await pass(10 * minute)
      expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-expired' })
      expect(Reflect.get(store, 'store').has(id)).toBe(true)
    },
  )

  it('B31 is refused with a signature that is not that of its id', async () => {
    const { browser, signIn, connect, refused } = await start()
    await signIn()
    const good = decodeURIComponent(browser.jar.get('sessionId')!)
    const [id = '', mac = ''] = good.split('.')
    for (const bad of [id, `${id}.`, `${id}.${mac}A`, `s:${good}`, `.${mac}`]) {
      const answer = await refused(`sessionId=${encodeURIComponent(bad)}`)
      expect(answer, bad).toEqual({ code: 4001, reason: 'credential-unknown' })
    }
    await connect(`sessionId=${encodeURIComponent(good)}`)
  })
})
