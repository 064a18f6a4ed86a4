import { type GuardedSocketOptions, lifecycle, pagePresence, ticket } from '@sallyport/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakePage, onPage, openOnPage } from './fake-pages.js'
import { fakeFetch, issued, refused, settled, start } from './fakes.js'

const minute = 60_000

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

  describe.each(['a new socket', 'a reset'])('fails %s at once, which', (what) => {
    /** A socket that is told to dial while there is a network, or none. */
    async function startOn(online: boolean, options: Partial<GuardedSocketOptions> = {}) {
      const page = new FakePage()
      const set = { ...options, lifecycle: lifecycle({ presence: pagePresence(page) }) }
      if (what === 'a new socket') {
        page.setOnline(online)
        return { ...start(set), page, dialled: 0 }
      }
      const started = start(set)
      await started.open()
      page.setOnline(online)
      started.socket.reset()
      return { ...started, page, dialled: 1 }
    }

    it('dials nothing and asks for nothing, and is there within a second of the network', async () => {
      const { page, clock, sockets, reasons, dialled, events, socket } = await startOn(false)
      await clock.advance(60 * minute)
      expect([sockets.length, reasons.length]).toEqual([dialled, dialled])
      expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network' }, attempt: 1 })
      expect(events.count('reconnecting')).toBe(1)
      expect(socket.readyState).toBe(0)
      page.setOnline(true)
      await clock.advance(1_000)
      expect([sockets.length, reasons.length]).toEqual([dialled + 1, dialled + 1])
    })

    it('would be dialled with a network', async () => {
      const { sockets, dialled, events } = await startOn(true)
      await settled()
      expect(sockets).toHaveLength(dialled + 1)
      expect(events.count('reconnecting')).toBe(0)
    })

    it.each([
      [false, 'network'],
      [true, undefined],
    ])('is the end of one that does not reconnect: online %s', async (online, kind) => {
      const { events, page, clock, sockets, dialled } = await startOn(online, { reconnect: false })
      await settled()
      expect(events.log.findLast(({ type }) => type === 'terminal')?.event.outcome).toEqual(
        kind && expect.objectContaining({ kind }),
      )
      page.setOnline(true)
      await clock.advance(minute)
      expect(sockets).toHaveLength(dialled + (online ? 1 : 0))
    })
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
          if (!page.navigator.onLine) dialledOffline += sockets.length - before
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
