import { firstMessage, lifecycle, pagePresence, renewal } from '@sallyport/client'
import { encodeFrame } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { FakePage, openOnPage } from './fake-pages.js'
import { settled, start } from './fakes.js'

const minute = 60_000

describe('asleep', () => {
  it('K07 for two minutes means that the connection is dead, and it is made anew at the first event', async () => {
    const { page, clock, sockets, reasons } = await openOnPage()
    clock.sleep(2 * minute)
    page.dispatchEvent(new Event('focus'))
    expect(sockets[0]?.closedWith).toBeDefined()
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
    expect(reasons).toEqual(['first', 'reconnect'])
  })

  it('K07 is noticed within half a minute where there is no event', async () => {
    const { clock, sockets } = await openOnPage()
    clock.sleep(60 * minute)
    await clock.advance(19_999)
    expect(sockets[0]?.closedWith).toBeUndefined()
    await clock.advance(1)
    expect(sockets[0]?.closedWith).toBeDefined()
  })

  it('K07 for a minute leaves the connection alone', async () => {
    const { page, clock, sockets } = await openOnPage()
    clock.sleep(minute)
    page.dispatchEvent(new Event('focus'))
    await clock.advance(minute)
    expect(sockets[0]?.closedWith).toBeUndefined()
  })

  it('K07 skips the delay of an attempt that waited', async () => {
    const { page, clock, sockets, current } = await openOnPage({ reconnect: { baseMs: 30_000 } })
    current().break()
    await clock.advance(10_000)
    clock.sleep(10 * minute)
    page.dispatchEvent(new Event('focus'))
    await clock.advance(1_000)
    expect(sockets).toHaveLength(2)
  })
})

describe('with a renewal', () => {
  async function renewing(expiresIn: number) {
    let asked = 0
    const reasons: string[] = []
    const page = new FakePage()
    const started = start({
      credential: firstMessage(({ reason }) => {
        reasons.push(reason)
        return 't0'
      }),
      renew: renewal(() => `t${++asked}`),
      lifecycle: lifecycle({ presence: pagePresence(page), quietMs: Number.POSITIVE_INFINITY }),
    })
    await started.open()
    started.current().receive(encodeFrame({ type: 'auth_ok', userId: 'ada', connection: 'c1', expiresIn }))
    await settled()
    return { ...started, page, reasons, asked: () => asked }
  }

  it.each([
    ['ended', 3_000, 'expired'],
    ['still lives', 4_000, 'reconnect'],
  ])('K07 asks for a credential as fits one that %s after a long sleep', async (_what, expiresIn, reason) => {
    const { page, clock, sockets, reasons, asked } = await renewing(expiresIn)
    clock.sleep(59 * minute)
    page.dispatchEvent(new Event('pageshow'))
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
    expect(reasons).toEqual(['first', reason])
    expect(asked()).toBe(0)
  })

  it('K07 reconnects after a short sleep only if the credential ended', async () => {
    for (const [expiresIn, connections] of [
      [60, 2],
      [120, 1],
    ] as const) {
      const { page, clock, sockets } = await renewing(expiresIn)
      page.setVisible(false)
      clock.sleep(minute)
      page.setVisible(true)
      await clock.advance(0)
      expect(sockets).toHaveLength(connections)
    }
  })

  it('K07 renews at once when it is time after a short sleep', async () => {
    const { page, clock, current, asked } = await renewing(100)
    page.setVisible(false)
    clock.sleep(95_000)
    expect(asked()).toBe(0)
    page.setVisible(true)
    await clock.advance(0)
    expect(asked()).toBe(1)
    expect(current().sent).toHaveLength(2)
  })
})
