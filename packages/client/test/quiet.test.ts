import { describe, expect, it } from 'vitest'
import { openOnPage } from './fake-pages.js'
import { fakeFetch, refused, settled } from './fakes.js'

const minute = 60_000

/** No network: nothing comes, and in the end an error. */
const lost = () => Promise.reject(new TypeError('fetch failed'))

/** An open socket on a page that has been answered once; then the network is as `network` says. */
async function quietOnPage(network: () => Response | Promise<Response>) {
  const { fetch, requests } = fakeFetch(refused(426), network)
  const started = await openOnPage({}, { fetch })
  await started.clock.advance(minute)
  expect(requests).toHaveLength(1)
  return { ...started, requests, closed: () => started.sockets[0]?.closedWith !== undefined }
}

describe('a connection on which nothing is heard', () => {
  it('is asked for over HTTP after a minute, at its own address, without a credential', async () => {
    const { requests, closed } = await quietOnPage(refused(426))
    expect(requests[0]?.url).toBe('https://api.example.com/ws')
    expect(requests[0]?.init).toMatchObject({ mode: 'no-cors', credentials: 'omit', cache: 'no-store' })
    expect(requests[0]?.init).not.toHaveProperty('headers')
    expect(closed()).toBe(false)
  })

  it.each([
    ['fails', lost],
    ['never comes', () => new Promise<never>(() => {})],
  ])('K30 is given up within 100 s when the answer %s, and made anew', async (_what, network) => {
    const { clock, closed, events, sockets } = await quietOnPage(network)
    await clock.advance(100_000)
    expect(closed()).toBe(true)
    const [first] = events.log.filter(({ type }) => type === 'reconnecting')
    expect(first?.event).toMatchObject({ outcome: { kind: 'network' }, attempt: 1 })
    expect(sockets.length).toBeGreaterThan(1)
  })

  it.each([200, 401, 404, 503])('K30 is kept when any answer comes: %i', async (status) => {
    const { clock, closed, requests } = await quietOnPage(refused(status))
    await clock.advance(10 * minute)
    expect(closed()).toBe(false)
    expect(requests.length).toBeGreaterThan(5)
  })

  it('K31 is not asked for while it is heard', async () => {
    const { clock, current, closed, requests } = await quietOnPage(lost)
    for (let i = 0; i < 20; i++) {
      current().receive('here I am')
      await clock.advance(30_000)
    }
    expect([requests.length, closed()]).toEqual([1, false])
  })

  it('K31 is kept when a message comes while the answer is awaited', async () => {
    let fail = (_error: Error) => {}
    const { clock, current, closed } = await quietOnPage(() => new Promise((_, reject) => (fail = reject)))
    await clock.advance(55_000)
    current().receive('here I am')
    fail(new TypeError('fetch failed'))
    await settled()
    expect(closed()).toBe(false)
  })

  it('K32 is kept where the page may not ask at all', async () => {
    const { fetch, requests } = fakeFetch(lost)
    const { clock, sockets } = await openOnPage({}, { fetch })
    await clock.advance(10 * minute)
    expect(requests.length).toBeGreaterThan(5)
    expect(sockets[0]?.closedWith).toBeUndefined()
  })

  it.each(['hidden', 'offline'])('is not asked for while the page is %s, and at once when it is back', async (what) => {
    const { clock, page, requests } = await quietOnPage(refused(426))
    const away = (is: boolean) => (what === 'hidden' ? page.setVisible(!is) : page.setOnline(!is))
    away(true)
    await clock.advance(4 * minute)
    expect(requests).toHaveLength(1)
    away(false)
    // One that was offline is made anew without being asked for.
    expect(requests).toHaveLength(what === 'hidden' ? 2 : 1)
  })

  it('is asked for once at a time, and no more when it has ended', async () => {
    const { clock, socket, requests } = await quietOnPage(() => new Promise<never>(() => {}))
    await clock.advance(95_000)
    expect(requests).toHaveLength(2)
    socket.close()
    await clock.advance(10 * minute)
    expect(requests).toHaveLength(2)
  })
})
