import { appPresence, lifecycle, pagePresence } from '@sallyport/client'
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
