import { expect, it } from 'vitest'
import type { Browser, startLogin } from '../support/login.js'

/** An application with a login whose sessions are looked up, each of ten minutes and prolonged by its pages. */
export interface LookedUpLogin
  extends Pick<Awaited<ReturnType<typeof startLogin>>, 'connect' | 'refused' | 'pass' | 'guard'> {
  readonly browser: Browser
  /** Signs the browser in, always the same user. */
  signIn(): Promise<unknown>
  signOut(): Promise<unknown>
  /** Uses a page. */
  visit(): Promise<unknown>
}

const minute = 60_000

/** What holds for every login whose sessions are looked up. */
export function lookedUpLoginContract(start: () => Promise<LookedUpLogin>): void {
  it('ends its connection when somebody signs out, and that of no other session', async () => {
    const { browser, signIn, signOut, connect, refused, pass, guard } = await start()
    await signIn()
    const { cookies } = browser
    const jar = [...browser.jar]
    const { client } = await connect(cookies)
    browser.jar.clear()
    await signIn()
    const stays = await connect(browser.cookies)
    browser.jar.clear()
    for (const [name, value] of jar) browser.jar.set(name, value)
    await signOut()
    await pass(minute + 1_000)
    expect(await client.closed).toMatchObject({ code: 4010 })
    expect(await refused(cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
    expect(guard.connections.size).toBe(1)
    stays.client.send('still here')
    expect(await stays.client.text()).toBe('still here')
  })

  it('is prolonged while its pages are used, and ends with its session', async () => {
    const { browser, signIn, visit, connect, pass } = await start()
    await signIn()
    const { client } = await connect(browser.cookies)
    await pass(8 * minute)
    await visit()
    await pass(4 * minute) // twelve minutes after the login
    client.send('still here')
    expect(await client.text()).toBe('still here')
    await pass(10 * minute)
    expect(await client.closed).toMatchObject({ code: 4019 })
  })
}

/** The same where the store keeps beside a session when it ends, and a page that is used moves only that. */
export function touchedLoginContract(start: () => Promise<LookedUpLogin>): void {
  it('B49 is not over while its store has it, whatever end was written', async () => {
    const { browser, signIn, visit, connect, refused, pass, guard } = await start()
    await signIn()
    const written = Date.now() + 10 * minute
    const { client: first } = await connect(browser.cookies)
    await pass(8 * minute)
    await visit()
    expect([...guard.connections][0]?.expiresAt).toBe(written)
    await pass(4 * minute) // twelve minutes after the login
    expect(await first.closed).toMatchObject({ code: 4019 })
    const { client, greeting } = await connect(browser.cookies)
    expect(greeting).toBe('hello ada')
    expect([...guard.connections][0]?.expiresAt).toBe(Date.now() + 10 * minute)
    await pass(5 * minute)
    client.send('still here')
    expect(await client.text()).toBe('still here')
    await pass(2 * minute) // eleven after the visit: the store has dropped it
    expect(await client.closed).toMatchObject({ code: 4010 })
    expect(await refused(browser.cookies)).toEqual({ code: 4001, reason: 'credential-unknown' })
  })
}
