import {
  appPresence,
  firstMessage,
  type GuardedSocketOptions,
  type LifecycleOptions,
  lifecycle,
  pagePresence,
  renewal,
  ticket,
} from '@sallyport/client'
import { encodeFrame } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeApp, FakePage, fakeFetch, issued, refused, settled, start } from './fakes.js'

const minute = 60_000

/** A socket on a page, not yet open. */
function onPage(options: Partial<GuardedSocketOptions> = {}, settings: LifecycleOptions = {}) {
  const page = new FakePage()
  const started = start({ lifecycle: lifecycle({ presence: pagePresence(page), ...settings }), ...options })
  return { ...started, page }
}

/** A socket on a page, open and stable. */
async function openOnPage(options: Partial<GuardedSocketOptions> = {}, settings: LifecycleOptions = {}) {
  const started = onPage(options, settings)
  await started.open()
  await started.clock.advance(10_000)
  return started
}

describe('offline', () => {
  it('does not dial until the network is back, and then within a second', async () => {
    const { page, current, clock, sockets } = await openOnPage()
    page.setOnline(false)
    current().break()
    await clock.advance(60 * minute)
    expect(sockets).toHaveLength(1)
    page.setOnline(true)
    await clock.advance(999)
    expect(sockets).toHaveLength(1)
    await clock.advance(1)
    expect(sockets).toHaveLength(2)
  })

  it('is the only reason for it: with a network the delay is as ever', async () => {
    const { current, clock, sockets } = await openOnPage()
    current().break()
    await clock.advance(499)
    expect(sockets).toHaveLength(1)
    await clock.advance(1)
    expect(sockets).toHaveLength(2)
  })

  it('is noticed also by a page that hears no event', async () => {
    const { page, current, clock, sockets } = await openOnPage()
    page.navigator.onLine = false
    current().break()
    await clock.advance(10 * minute)
    expect(sockets).toHaveLength(1)
    page.navigator.onLine = true
    await clock.advance(31_000)
    expect(sockets).toHaveLength(2)
  })

  it('lets what the application starts be tried once', async () => {
    const { page, socket, current, clock, sockets } = await openOnPage()
    page.setOnline(false)
    socket.reset()
    await settled()
    expect(sockets).toHaveLength(2)
    current().break()
    await clock.advance(60 * minute)
    expect(sockets).toHaveLength(2)
  })

  it('is left by a connection that is presumed dead, and made anew', async () => {
    const { page, clock, sockets, events, open } = await openOnPage()
    page.setOnline(false)
    await clock.advance(minute)
    expect(sockets[0]?.closedWith).toBeUndefined()
    page.setOnline(true)
    expect(sockets[0]?.closedWith).toBeDefined()
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network' }, attempt: 1 })
    await clock.advance(500)
    await open()
    expect(sockets).toHaveLength(2)
  })
})

describe('hidden', () => {
  it('reconnects for five minutes, and then not until it is seen again', async () => {
    const { page, clock, sockets, current } = await openOnPage({ reconnect: { capMs: minute } })
    page.setVisible(false)
    await clock.advance(4 * minute)
    current().break()
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
    await clock.advance(minute)
    const before = sockets.length
    await clock.advance(60 * minute)
    expect(sockets).toHaveLength(before)
    page.setVisible(true)
    await clock.advance(1_000)
    expect(sockets).toHaveLength(before + 1)
  })

  it('counts from when it was hidden, not from when the connection was lost', async () => {
    const { page, clock, sockets, current } = await openOnPage()
    page.setVisible(false)
    await clock.advance(5 * minute)
    current().break()
    await clock.advance(60 * minute)
    expect(sockets).toHaveLength(1)
  })

  it('counts only the last time', async () => {
    const { page, clock, sockets, current } = await openOnPage()
    page.setVisible(false)
    await clock.advance(4 * minute)
    page.setVisible(true)
    page.setVisible(false)
    await clock.advance(4 * minute)
    current().break()
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
  })

  it('does not matter to a live connection', async () => {
    const { page, clock, sockets, socket, events } = await openOnPage()
    page.setVisible(false)
    // The timers of a hidden page may be late by half a minute and more.
    for (let round = 0; round < 60; round++) {
      clock.sleep(30_000)
      await clock.advance(30_000)
    }
    page.setVisible(true)
    await clock.advance(minute)
    expect([sockets.length, socket.readyState, events.count('reconnecting')]).toEqual([1, 1, 0])
  })

  it('may last as long as one likes', async () => {
    const { page, clock, sockets, current } = await openOnPage({}, { hiddenMs: Number.POSITIVE_INFINITY })
    page.setVisible(false)
    await clock.advance(60 * minute)
    current().break()
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
  })
})

describe('back again', () => {
  it('skips one delay, and the next one grows as if nothing had been skipped', async () => {
    const { page, clock, current, retry, events, sockets } = await openOnPage()
    current().break()
    for (let failures = 0; failures < 4; failures++) {
      await retry()
      current().break()
    }
    expect(events.last('reconnecting')).toMatchObject({ attempt: 5, delayMs: 8_000 })
    page.setVisible(false)
    page.setVisible(true)
    await clock.advance(1_000)
    expect(sockets).toHaveLength(6)
    current().break()
    expect(events.last('reconnecting')).toMatchObject({ attempt: 6, delayMs: 16_000 })
    await clock.advance(15_999)
    expect(sockets).toHaveLength(6)
    await clock.advance(1)
    expect(sockets).toHaveLength(7)
  })

  it('does not put off an attempt that is due sooner', async () => {
    const { page, clock, current, sockets } = await openOnPage()
    current().break()
    await clock.advance(400)
    page.setVisible(false)
    page.setVisible(true)
    await clock.advance(100)
    expect(sockets).toHaveLength(2)
  })

  it('skips nothing when it was never away', async () => {
    const { page, clock, current, retry, sockets } = await openOnPage()
    current().break()
    for (let failures = 0; failures < 4; failures++) {
      await retry()
      current().break()
    }
    for (const type of ['focus', 'pageshow', 'online']) page.dispatchEvent(new Event(type))
    await clock.advance(7_999)
    expect(sockets).toHaveLength(5)
    await clock.advance(1)
    expect(sockets).toHaveLength(6)
  })

  it('K03 spreads those who come back over a second', async () => {
    const { page, clock, current, sockets } = await openOnPage({ random: () => 0.25 })
    page.setOnline(false)
    current().break()
    await clock.advance(minute)
    page.setOnline(true)
    await clock.advance(249)
    expect(sockets).toHaveLength(1)
    await clock.advance(1)
    expect(sockets).toHaveLength(2)
  })

  it('K03 does not skip what Retry-After says', async () => {
    const { fetch, requests } = fakeFetch(refused(503, { 'retry-after': '20' }), issued('t'))
    const { page, clock } = onPage({ fetch, credential: ticket('/ws/ticket') })
    await settled()
    page.setVisible(false)
    page.setVisible(true)
    await clock.advance(19_999)
    expect(requests).toHaveLength(1)
    await clock.advance(1)
    expect(requests).toHaveLength(2)
  })
})

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
      lifecycle: lifecycle({ presence: pagePresence(page) }),
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

describe('K11 flapping', () => {
  it('K11 keeps to one socket, dials never while offline, and is there when all is well', async () => {
    const step = fc.constantFrom(
      ...([
        'offline',
        'online',
        'hide',
        'show',
        'sleep',
        'nap',
        'wait',
        'open',
        'break',
        'refuse',
        'reset',
        'focus',
      ] as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { page, socket, clock, sockets, live, open, current } = onPage()
        let dialledOffline = 0
        let before = 0
        const perform = {
          offline: () => page.setOnline(false),
          online: () => page.setOnline(true),
          hide: () => page.setVisible(false),
          show: () => page.setVisible(true),
          sleep: () => clock.sleep(10 * minute),
          nap: () => clock.sleep(minute),
          wait: () => clock.advance(2_000),
          open: () => current().readyState === 0 && open(),
          break: () => current().readyState < 2 && current().break(),
          refuse: () => current().readyState === 1 && current().end(1012),
          reset: () => socket.reset(),
          focus: () => page.dispatchEvent(new Event('focus')),
        }
        await settled()
        for (const name of steps) {
          before = sockets.length
          await perform[name]()
          await settled()
          if (!page.navigator.onLine && name !== 'reset') dialledOffline += sockets.length - before
        }
        page.setOnline(true)
        page.setVisible(true)
        for (let patience = 20; socket.readyState === 0 && patience > 0; patience--) {
          if (current().readyState === 0) await open()
          else await clock.advance(30_000)
        }
        expect(socket.readyState).toBe(1)
        expect(live.most).toBe(1)
        expect(dialledOffline).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('K11 leaves no listener and no timer behind, in whatever state it is closed', async () => {
    for (const prepare of ['open', 'waiting', 'held'] as const) {
      const { page, socket, current, clock } = await openOnPage()
      expect(page.listeners * page.document.listeners).toBeGreaterThan(0)
      if (prepare === 'held') page.setOnline(false)
      if (prepare !== 'open') current().break()
      await clock.advance(0)
      expect(page.listeners * page.document.listeners).toBeGreaterThan(0)
      socket.close()
      if (prepare === 'open') current().end(1000)
      await settled()
      expect([page.listeners, page.document.listeners, clock.pending]).toEqual([0, 0, 0])
    }
  })
})

describe('a connection that a listener of `authenticated` refuses', () => {
  it('is not looked after', async () => {
    const { page, socket, open, current, clock } = onPage()
    socket.addEventListener('authenticated', () => socket.close(), { once: true })
    await open()
    expect(current().closedWith).toBeDefined()
    expect([page.listeners, page.document.listeners, clock.pending]).toEqual([0, 0, 0])
  })
})

describe('K14 React Native', () => {
  it('K14 comes back from the background with a fresh credential, after the system killed the connection', async () => {
    const app = new FakeApp()
    const { open, clock, current, sockets, socket } = start({ lifecycle: lifecycle({ presence: appPresence(app) }) })
    await open()
    app.setState('background')
    clock.sleep(30 * minute)
    app.setState('active')
    expect(sockets[0]?.closedWith).toBeDefined()
    await clock.advance(500)
    await open()
    expect(socket.readyState).toBe(1)
    expect(sockets.map(({ url }) => new URL(url).searchParams.get('ticket'))).toEqual(['t1', 't2'])
    socket.close()
    current().end(1000)
    expect(app.listeners).toBe(0)
  })

  it('K14 does not dial from the background', async () => {
    const app = new FakeApp()
    const { open, clock, current, sockets } = start({ lifecycle: lifecycle({ presence: appPresence(app) }) })
    await open()
    app.setState('background')
    await clock.advance(5 * minute)
    current().break()
    await clock.advance(60 * minute)
    expect(sockets).toHaveLength(1)
    app.setState('active')
    await clock.advance(1_000)
    expect(sockets).toHaveLength(2)
  })

  it('K14 does not take a dialog over the application for the background', async () => {
    const app = new FakeApp()
    const { open, clock, current, sockets } = start({ lifecycle: lifecycle({ presence: appPresence(app) }) })
    await open()
    app.setState('inactive')
    await clock.advance(60 * minute)
    current().break()
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
  })
})

describe('pagePresence', () => {
  it('is always online and visible where there is no page', () => {
    const presence = pagePresence({})
    expect([presence.online, presence.visible]).toEqual([true, true])
    expect(() => presence.subscribe(() => {})()).not.toThrow()
    expect(() => pagePresence().subscribe(() => {})()).not.toThrow()
  })

  it.each(['online', 'offline', 'pageshow', 'focus'])('hears `%s` of the window', (type) => {
    const page = new FakePage()
    let heard = 0
    const stop = pagePresence(page).subscribe(() => heard++)
    page.dispatchEvent(new Event(type))
    stop()
    page.dispatchEvent(new Event(type))
    expect(heard).toBe(1)
  })

  it.each(['visibilitychange', 'resume'])('hears `%s` of the document', (type) => {
    const page = new FakePage()
    let heard = 0
    const stop = pagePresence(page).subscribe(() => heard++)
    page.document.dispatchEvent(new Event(type))
    stop()
    page.document.dispatchEvent(new Event(type))
    expect(heard).toBe(1)
  })
})
