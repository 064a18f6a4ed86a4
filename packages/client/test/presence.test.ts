import { appPresence, type GuardedSocket, lifecycle, type NetInfoLike, pagePresence } from '@sallyport/client'
import { describe, expect, it } from 'vitest'
import { FakeApp, FakePage } from './fake-pages.js'
import { start } from './fakes.js'

const minute = 60_000

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

  it('K14 makes a lost connection anew from the background in the first five minutes', async () => {
    const app = new FakeApp()
    const { open, clock, current, sockets } = start({ lifecycle: lifecycle({ presence: appPresence(app) }) })
    await open()
    app.setState('background')
    await clock.advance(4 * minute)
    current().break()
    await clock.advance(500)
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

describe('K14 an application that listens to AppState itself, and first', () => {
  /** A socket that waits for its next attempt, in the background: its listener of AppState comes after the application's. */
  async function waiting(application: (socket: GuardedSocket) => void) {
    const app = new FakeApp()
    let act = () => {}
    app.addEventListener('change', () => act())
    const started = start({ lifecycle: lifecycle({ presence: appPresence(app) }) })
    await started.open()
    app.setState('background')
    await started.clock.advance(5 * minute)
    started.current().break()
    act = () => application(started.socket)
    return { ...started, app }
  }

  it('K14 closes the socket, and it stays closed', async () => {
    const { app, clock, sockets, socket } = await waiting((socket) => socket.close())
    app.setState('active')
    await clock.advance(60 * minute)
    expect([socket.readyState, sockets.length, clock.pending]).toEqual([3, 1, 0])
  })

  it('K14 resets the socket, and it has one connection', async () => {
    const { app, clock, open, live, sockets, socket } = await waiting((socket) => socket.reset())
    app.setState('active')
    await open()
    await clock.advance(60 * minute)
    expect([socket.readyState, sockets.length, live.most]).toEqual([1, 2, 1])
  })

  it('K14 does neither, and the socket comes again', async () => {
    const { app, clock, open, sockets, socket } = await waiting(() => {})
    app.setState('active')
    await clock.advance(1_000)
    await open()
    expect([socket.readyState, sockets.length]).toEqual([1, 2])
  })
})

describe('appPresence with NetInfo', () => {
  /** NetInfo as the application has it: it tells its state at once, and on every change. */
  function netInfo(isConnected: boolean | null) {
    let tell = (_state: { isConnected: boolean | null }) => {}
    return {
      addEventListener(listener: typeof tell) {
        tell = listener
        listener({ isConnected })
        return () => {}
      },
      change: (isConnected: boolean | null) => tell({ isConnected }),
    }
  }

  it('K68 dials when the network is back, and asks for nothing while it is away', async () => {
    const net = netInfo(false)
    const { clock, sockets } = start({ lifecycle: lifecycle({ presence: appPresence(new FakeApp(), net) }) })
    await clock.advance(60 * minute)
    expect(sockets).toHaveLength(0)
    net.change(true)
    await clock.advance(1_000)
    expect(sockets).toHaveLength(1)
  })

  it('K68 gives up the connection of the network before', async () => {
    const net = netInfo(true)
    const { open, clock, sockets } = start({ lifecycle: lifecycle({ presence: appPresence(new FakeApp(), net) }) })
    await open()
    net.change(false)
    net.change(true)
    await clock.advance(1_000)
    expect(sockets).toHaveLength(2)
  })

  it('K68 sees another kind of network where the application tells it as the page of React Native says', async () => {
    let tell = (_state: { type: string; isConnected: boolean | null }) => {}
    const byType: NetInfoLike = {
      addEventListener(listener) {
        let last: string | undefined
        tell = ({ type, isConnected }) => {
          if (isConnected && last !== undefined && last !== type) listener({ isConnected: false })
          if (isConnected) last = type
          listener({ isConnected })
        }
        return () => {}
      },
    }
    const presence = appPresence(new FakeApp(), byType)
    const { open, clock, sockets } = start({ lifecycle: lifecycle({ presence }) })
    tell({ type: 'unknown', isConnected: null })
    await open()
    tell({ type: 'wifi', isConnected: true })
    tell({ type: 'wifi', isConnected: true })
    await clock.advance(1_000)
    expect(sockets).toHaveLength(1)
    tell({ type: 'cellular', isConnected: true })
    await clock.advance(1_000)
    expect(sockets).toHaveLength(2)
  })

  it('K68 does not see another network where NetInfo tells of none without one', async () => {
    const net = netInfo(true)
    const { open, clock, sockets } = start({ lifecycle: lifecycle({ presence: appPresence(new FakeApp(), net) }) })
    await open()
    net.change(true)
    await clock.advance(1_000)
    expect(sockets).toHaveLength(1)
  })

  it('counts as online while NetInfo does not know, and hears nothing after the end', () => {
    const net = netInfo(null)
    const presence = appPresence(new FakeApp(), net)
    let heard = 0
    const stop = presence.subscribe(() => heard++)
    expect(presence.online).toBe(true)
    net.change(false)
    expect([presence.online, heard]).toEqual([false, 1])
    stop()
    net.change(true)
    expect([presence.online, heard]).toEqual([true, 1])
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
