import { hash } from '@sallyport/server'
import { ironSession } from '@sallyport/server/logins'
import { getIronSession, sealData, unsealData } from 'iron-session'
import { describe, expect, it } from 'vitest'
import { startLogin } from '../support/login.js'

interface SessionData {
  userId?: string
}

const password = 'a password of more than 32 characters'
const cookieName = 'login'
const ttl = 600
const minute = 60_000
const identify = ({ userId }: SessionData) => (userId ? { id: userId } : undefined)

async function start(sealedFor = ttl) {
  const options = { password, cookieName, ttl: sealedFor, cookieOptions: { secure: false } }
  const verify = ironSession({ unsealData: unsealData<SessionData>, password, ttl }, identify)
  const login = await startLogin(() => ({
    name: cookieName,
    verify,
    async handle(request, response) {
      const session = await getIronSession<SessionData>(request, response, options)
      if (request.url === '/login') session.userId = 'ada'
      await session.save()
      response.end()
    },
  }))
  const browser = login.browser()
  return { ...login, browser, signIn: () => browser.fetch('/login') }
}

/** Somebody who was revoked, stays outside with the same cookie, and has signed in once more. */
async function signedInAgain(sealedFor?: number) {
  const login = await start(sealedFor)
  const { browser, signIn, connect, refused, guard, pass } = login
  await signIn()
  const { client } = await connect(browser.cookies)
  await pass(1_000)
  await guard.revoke({ user: 'ada' })
  expect(await client.closed).toMatchObject({ code: 4010 })
  expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-revoked' })
  await pass(1_000)
  await signIn()
  return login
}

describe('a login by iron-session', () => {
  it('comes in by its cookie, and lives as long as that', async () => {
    const { browser, signIn, connect, refused, pass, guard } = await start()
    await browser.fetch('/page')
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    await signIn()
    const { client, greeting } = await connect(browser.cookies)
    expect(greeting).toBe('hello ada')
    const [connection] = guard.connections
    expect(connection?.session).toBe(hash(decodeURIComponent(browser.jar.get(cookieName)!)))
    expect(connection!.expiresAt! - Date.now()).toBe(1000 * ttl)
    await pass(10 * minute + 6_000)
    expect(await client.closed).toMatchObject({ code: 4019 })
    expect(await refused(browser.cookies)).toMatchObject({ code: 4001 })
  })

  it('is revoked by its user, and the same cookie stays outside', async () => {
    const { browser, connect } = await signedInAgain()
    await connect(browser.cookies)
  })

  it.each([
    ['a minute longer', ttl + 61],
    ['ten times as long', 10 * ttl],
  ])('B50 is refused where it is sealed for %s, because no revocation would keep it out', async (_, life) => {
    const { browser, signIn, refused } = await start(life)
    await signIn()
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-not-yet-valid' })
  })

  it('B50 stays revoked where it is sealed for less, and so does what is sealed a little later', async () => {
    const { browser, refused } = await signedInAgain(ttl / 2)
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-revoked' })
  })

  it('B31 is refused when another password has sealed it, or anything is changed', async () => {
    const { browser, signIn, connect, refused } = await start()
    await signIn()
    const good = decodeURIComponent(browser.jar.get(cookieName)!)
    const parts = good.split('*')
    const longer = parts.with(5, `${Number(parts[5]) + 1_000}`).join('*')
    const other = await sealData({ userId: 'eve' }, { password: 'another password of over 32 characters', ttl })
    for (const bad of [other, longer, good.slice(0, -3), `A${good}`, good.replace('Fe26', 'Fe27'), 'x~2', parts[4]!]) {
      expect(await refused(`${cookieName}=${encodeURIComponent(bad)}`), bad).toMatchObject({ code: 4001 })
    }
    await connect(browser.cookies)
  })

  it('E65 stays revoked however it is spelled', async () => {
    const { browser, signIn, connect, refused, guard, pass } = await start()
    await signIn()
    const good = decodeURIComponent(browser.jar.get(cookieName)!)
    const { client } = await connect(browser.cookies)
    await guard.revoke({ session: hash(good) })
    expect(await client.closed).toMatchObject({ code: 4010 })
    const others = ['~2x', '~02', '~2~2', '~1', ''].map((version) => good.replace('~2', version))
    for (const bad of [good, ...others])
      expect(await refused(`${cookieName}=${bad}`), bad).toMatchObject({ code: 4001 })
    await pass(1_000)
    await signIn()
    await connect(browser.cookies)
  })

  it('B31 is refused when it never ends', async () => {
    const { connect, refused } = await start()
    const seal = (seconds: number) => sealData({ userId: 'ada' }, { password, ttl: seconds })
    expect(await refused(`${cookieName}=${await seal(0)}`)).toEqual({ code: 4001, reason: 'credential-expired' })
    await connect(`${cookieName}=${await seal(ttl)}`)
  })

  it('is known by each password while one replaces the other', () => {
    const options = { unsealData: unsealData<SessionData> }
    expect(() => ironSession({ ...options, password: { 1: password, 2: `${password}!` } }, identify)).not.toThrow()
    for (const none of ['', 'short', {}, { 1: 'short' }, undefined]) {
      expect(() => ironSession({ ...options, password: none as string }, identify)).toThrow('ironSession: password')
    }
    expect(() => ironSession({ ...options, password, ttl: 0 }, identify)).toThrow('ironSession: ttl')
  })
})
