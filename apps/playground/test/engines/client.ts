import { codes, outcomeOfClose, outcomeOfStatus } from '@sallyport/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { forge } from '../../page/attacks.js'
import type { Playground } from '../../src/playground.js'
import { watch } from '../support/live.js'
import type { Engine, EngineName, Tab } from './engine.js'
import { type Obedient, reasonOf, startObedient } from './obedient.js'
import { bundle, type Remote, remote, startWith } from './stage.js'
import type { Failing, Seen, Way } from './visits.js'

const ways: readonly [Way, method: string][] = [
  ['ticket', 'ticket'],
  ['ticket by cookie', 'ticket'],
  ['first message', 'message'],
  ['cookie', 'cookie'],
  ['query token', 'query'],
  ['subprotocol', 'subprotocol'],
]

/** What an engine does that the others do not. */
const differences: Partial<
  Record<EngineName, { readonly unknownCloses: readonly number[]; readonly redirects: true }>
> = {
  // It stands on libsoup, which takes these two codes for an error, and goes where a redirect of a handshake points.
  webkit: { unknownCloses: [1012, 1013], redirects: true },
}

/** The client, in a page of the playground, in that browser. */
export function clientSuite(name: EngineName, running: () => Engine): void {
  const { unknownCloses = [], redirects = false } = differences[name] ?? {}
  let script: string
  let playground: Playground
  let obedient: Obedient
  let tab: Tab
  let page: Remote
  let stranger: Remote
  let users = 0

  beforeAll(async () => {
    script = await bundle('visits')
    ;[playground, obedient] = await Promise.all([startWith(script), startObedient(script)])
    tab = await running().open(playground.url)
    page = remote(tab)
    stranger = remote(await running().open(obedient.url))
  })
  afterAll(async () => {
    obedient.close()
    await playground.close()
  })
  afterEach(async () => {
    await page.closeAll()
    await stranger.closeAll()
  })

  /** Signs a new user in. */
  async function signIn(expiresIn?: number): Promise<string> {
    const user = `user-${++users}`
    await page.signIn(user, expiresIn)
    return user
  }

  const comeIn = async (visit: Parameters<Remote['open']>[0], on = page): Promise<number> => {
    const id = await on.open(visit)
    await on.next(id, 'open')
    return id
  }

  const welcomed = async (id: number, user: string, method: string) =>
    expect(JSON.parse(String((await page.next(id, 'message')).data))).toEqual({ type: 'welcome', userId: user, method })

  describe('comes in', () => {
    it.each(ways)('by %s, says a line and bytes, and leaves', async (way, method) => {
      const user = await signIn(way === 'query token' ? 30 : undefined)
      const id = await page.open({ way })
      if (way === 'first message') expect((await page.next(id, 'authenticated')).userId).toBe(user)
      await welcomed(id, user, method)
      const state = await page.state(id)
      expect(state).toMatchObject({ readyState: 1, bufferedAmount: 0, url: expect.stringMatching(/^ws:.*\/ws$/) })
      expect(state.protocol).toBe(way === 'subprotocol' ? 'sallyport-playground' : '')
      await page.say(id, 'Good evening')
      expect((await page.next(id, 'message')).data).toBe('{"type":"echo","data":"Good evening"}')
      await page.say(id, [0, 255])
      expect((await page.next(id, 'message')).data).toEqual({ is: 'Blob', bytes: [0, 255] })
      await page.close(id)
      expect(await page.next(id, 'close')).toEqual({
        type: 'close',
        readyState: 3,
        code: 1000,
        reason: '',
        wasClean: true,
      })
    })

    it('and hears bytes as an ArrayBuffer where it asks for that', async () => {
      await signIn()
      const id = await comeIn({ way: 'cookie', binaryType: 'arraybuffer' })
      await page.next(id, 'message')
      await page.say(id, [1])
      expect((await page.next(id, 'message')).data).toEqual({ is: 'ArrayBuffer', bytes: [1] })
    })

    it('with what it said before it was in, once and in order', async () => {
      await signIn()
      const id = await page.open({ way: 'ticket' })
      for (const line of ['one', 'two']) await page.say(id, line)
      await page.next(id, 'message')
      for (const data of ['one', 'two'])
        expect((await page.next(id, 'message')).data).toBe(JSON.stringify({ type: 'echo', data }))
    })

    it('by no header, for a page can set none', async () => {
      await expect(page.open({ way: 'header' })).rejects.toThrow('takes no headers')
    })
  })

  describe('is refused', () => {
    it.each<[Way, object]>([
      ['ticket', { status: 401 }],
      ['first message', { code: 4001 }],
      ['query token', { code: 4001 }],
      ['subprotocol', { code: 4001 }],
    ])('K60 with a forged token by %s: one retry, then it stops', async (way, how) => {
      await signIn(way === 'query token' ? 30 : undefined)
      const id = await page.open({ way, token: forge(await page.signIn(`user-${users}`, 30)) })
      expect((await page.next(id, 'reconnecting')).outcome).toMatchObject({ kind: 'unauthenticated', ...how })
      expect((await page.next(id, 'terminal')).outcome).toMatchObject({ kind: 'unauthenticated', ...how })
      expect(await page.reasons(id)).toEqual(['first', 'rejected'])
      // What it comes in with when nobody has touched it.
      await comeIn({ way })
    })

    it('K61 with a ticket that no cookie pays for, and with a cookie that is none', async () => {
      await signIn()
      await page.signOut()
      const byTicket = await page.open({ way: 'ticket by cookie' })
      expect((await page.next(byTicket, 'terminal')).outcome).toMatchObject({ kind: 'unauthenticated', status: 401 })
      await tab.run(`document.cookie = 'session=forged; path=/'`)
      const byCookie = await page.open({ way: 'cookie' })
      // Such a cookie gives way to a first message, which does not come.
      expect(await page.next(byCookie, 'reconnecting')).toMatchObject({
        outcome: { kind: 'unauthenticated', code: 4001 },
      })
      const closed = await page.next(byCookie, 'close')
      expect(closed).toMatchObject({ code: 4001, reason: 'Authentication timeout', wasClean: true })
      await page.close(byCookie)
      await tab.run(`document.cookie = 'session=; path=/; max-age=0'`)
      await signIn()
      await comeIn({ way: 'cookie' })
    })

    it('K62 from another origin, and the page cannot tell that from a dead network', async () => {
      const token = await page.signIn(`user-${++users}`, 30)
      const url = `${playground.url}/ws`
      for (const way of ['ticket', 'query token', 'cookie'] as const) {
        const id = await stranger.open({ way, url, token })
        expect((await stranger.next(id, 'reconnecting')).outcome).toMatchObject({ kind: 'network', ambiguous: true })
        expect((await stranger.next(id, 'error')).readyState).toBe(0)
      }
      await comeIn({ way: 'query token', token })
    })

    it('as revoked when its user signs out, and stays out', async () => {
      await signIn()
      const id = await comeIn({ way: 'ticket' })
      await page.signOut()
      expect(await page.next(id, 'terminal')).toMatchObject({ readyState: 3, outcome: { kind: 'revoked', code: 4010 } })
      expect(await page.next(id, 'close')).toMatchObject({ readyState: 3, code: 4010, reason: 'Revoked' })
    })

    it('as replaced by the twenty-first connection of its user, and stays out', async () => {
      await signIn()
      const first = await comeIn({ way: 'cookie' })
      const others = await Promise.all(Array.from({ length: 20 }, () => page.open({ way: 'cookie' })))
      expect((await page.next(first, 'terminal')).outcome).toMatchObject({ kind: 'replaced', code: 4009 })
      for (const id of others) await page.next(id, 'open')
    })

    it('as forbidden when it renews as somebody else, and stays out', async () => {
      await signIn()
      const id = await comeIn({ way: 'first message', renew: 'in band', seconds: 60, speed: 30, renewAs: 'mallory' })
      expect((await page.next(id, 'terminal')).outcome).toMatchObject({ kind: 'forbidden', code: 4003 })
    })

    it('as expired when its credential ends, and comes again at once with another', async () => {
      await signIn()
      const id = await comeIn({ way: 'first message', seconds: 2 })
      expect(await page.next(id, 'reconnecting')).toMatchObject({
        outcome: { kind: 'expired', code: 4019 },
        delayMs: 0,
      })
      expect((await page.next(id, 'close')).reason).toBe('Credential expired')
      await page.next(id, 'open')
      expect((await page.reasons(id)).slice(0, 2)).toEqual(['first', 'expired'])
    })
  })

  describe('understands', () => {
    const closes = Object.values(codes).flatMap((code) => ('close' in code ? [code.close] : []))
    it.each([...new Set(closes), 4499, 4999])('Close %i of a server', async (close) => {
      const heard = unknownCloses.includes(close) ? 1006 : close
      const { kind, action } = outcomeOfClose(heard)
      const id = await stranger.open({ way: 'cookie', url: `${obedient.url}/close/${close}` })
      const isOver = action === 'stop'
      const { outcome } = await stranger.next(id, isOver ? 'terminal' : 'reconnecting')
      expect(outcome).toMatchObject({ kind, code: heard })
      expect(await stranger.next(id, 'close')).toMatchObject({
        readyState: isOver ? 3 : 0,
        code: heard,
        reason: heard === close ? reasonOf(close) : '',
        wasClean: heard === close,
      })
    })

    it('a connection that breaks, one that breaks the rules, and one that was never made', async () => {
      const seen = (path: string) => stranger.bare(`${obedient.url}${path}`.replace('http', 'ws'))
      const ends = async (path: string) => (await seen(path)).at(-1)
      expect(await Promise.all(['/drop', '/garbage', '/status/401', '/status/503', '/status/200'].map(ends))).toEqual(
        Array.from({ length: 5 }, () => 'close 1006  unclean'),
      )
      // Who was inside has seen it open.
      expect((await seen('/drop'))[0]).toBe('open')
      expect(await seen('/status/401')).toEqual(['error', 'close 1006  unclean'])
    })

    it('K63 a handshake that is answered with a redirect', async () => {
      const seen = await stranger.bare(`${obedient.url}/status/302`.replace('http', 'ws'))
      expect(seen[0]).toBe(redirects ? 'open' : 'error')
    })

    it.each([302, 400, 401, 403, 404, 409, 413, 429, 431, 500, 503])(
      'the status %i of a ticket route',
      async (status) => {
        const id = await stranger.open({ way: 'ticket', ticketUrl: `/status/${status}`, token: 'x' })
        const { outcome } = await stranger.next(id, 'error')
        const { kind } = status === 302 ? { kind: 'misconfigured' } : outcomeOfStatus(status)
        expect(outcome).toMatchObject({ kind, status, ...([429, 503].includes(status) && { retryAfter: 7 }) })
      },
    )

    const failures: Record<Failing, Seen['outcome']> = {
      'a property of undefined': { kind: 'misconfigured' },
      'a property of null': { kind: 'misconfigured' },
      'a call of undefined': { kind: 'misconfigured' },
      'a name that is not there': { kind: 'misconfigured' },
      'no network': { kind: 'network' },
    }
    it.each(Object.entries(failures))('K64 a token function that fails: %s', async (failure, outcome) => {
      expect(await stranger.outcomeOf(failure as Failing)).toEqual(outcome)
    })
  })

  describe('stays', () => {
    it.each(['in band', 'over HTTP'] as const)('by renewal %s', async (renew) => {
      const user = await signIn()
      const way = renew === 'in band' ? 'first message' : 'ticket'
      const table = await watch(playground.url)
      onTestFinished(() => table.close())
      // Its minute is two seconds.
      const id = await comeIn({ way, renew, seconds: 60, speed: 30 })
      const mine = ({ connections }: Awaited<ReturnType<typeof table.until>>) =>
        connections.find((row) => row.user === user)
      const { expiresAt = 0 } = mine(await table.until((snapshot) => mine(snapshot) !== undefined))!
      await table.until((snapshot) => (mine(snapshot)?.expiresAt ?? 0) > expiresAt + 1_000)
      expect((await page.reasons(id))[1]).toMatch(/^(first|renewal)$/)
      expect((await page.state(id)).readyState).toBe(1)
    })
  })

  describe('comes again', () => {
    it('I17 when the server restarts', async () => {
      const first = await startWith(script)
      const other = await running().open(first.url)
      const there = remote(other)
      await there.signIn('ada')
      const id = await comeIn({ way: 'ticket' }, there)
      await first.drain(0)
      const { outcome } = await there.next(id, 'reconnecting')
      expect(outcome).toMatchObject(
        unknownCloses.includes(1012) ? { kind: 'network', code: 1006 } : { kind: 'unavailable', code: 1012 },
      )
      const second = await startWith(script, Number(new URL(first.url).port))
      onTestFinished(() => second.close())
      await there.next(id, 'open')
      expect(JSON.parse(String((await there.next(id, 'message')).data))).toMatchObject({ userId: 'ada' })
      await other.close()
    })

    it('K65 after sleep, on a new connection', async () => {
      await signIn()
      const speed = 20
      const asleepMs = 80_000
      const sleeper = await comeIn({ way: 'ticket', speed, asleepMs })
      const watchful = await comeIn({ way: 'ticket' })
      running().suspend()
      await new Promise((resolve) => setTimeout(resolve, asleepMs / speed + 500))
      running().resume()
      expect(await page.next(sleeper, 'reconnecting')).toMatchObject({ outcome: { kind: 'network' } })
      await page.next(sleeper, 'open')
      // By its own time that one did not sleep, and a connection lives through that.
      await page.say(watchful, 'still here')
      await page.next(watchful, 'message')
      expect((await page.next(watchful, 'message')).data).toMatch('still here')
    })

    it('K66 when it is online again, and asks for nothing while it is not', async () => {
      await signIn()
      const id = await comeIn({ way: 'ticket', asleepMs: 120_000 })
      await tab.setOffline(true)
      const other = await page.open({ way: 'ticket', asleepMs: 120_000 })
      expect((await page.next(other, 'reconnecting')).outcome).toMatchObject({ kind: 'network' })
      expect(await page.reasons(other)).toEqual([])
      await tab.setOffline(false)
      expect((await page.next(id, 'reconnecting')).outcome).toMatchObject({ kind: 'network' })
      for (const back of [id, other]) await page.next(back, 'open')
      expect(await page.reasons(other)).toEqual(['reconnect'])
    })

    it('K67 as another account, with nothing that was said before', async () => {
      await signIn()
      const inside = await comeIn({ way: 'ticket' })
      const token = await page.signIn(`user-${users}`)
      const eve = await signIn()
      await page.reset(inside)
      expect(await page.next(inside, 'close')).toMatchObject({ readyState: 0, code: 1005 })
      await welcomed(inside, eve, 'ticket')

      const waiting = await tab.run<number>(`(() => {
        const id = visits.open({ way: 'ticket', token: '${token}' })
        visits.say(id, 'as the first')
        visits.reset(id)
        visits.say(id, 'as the second')
        return id
      })()`)
      await welcomed(waiting, eve, 'ticket')
      expect((await page.next(waiting, 'message')).data).toBe('{"type":"echo","data":"as the second"}')
    })
  })
}
