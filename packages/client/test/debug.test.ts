import { cookie, debug, type GuardedSocketOptions, header, ticket, webSocketClass } from '@sallyport/client'
import { describe, expect, it, vi } from 'vitest'
import { FakeClock, fakeFetch, fakeWebSocket, refused, settled, start } from './fakes.js'

/** A socket whose log is kept. */
function watched(options: Partial<GuardedSocketOptions> = {}) {
  const log = { debug: vi.fn(), warn: vi.fn() }
  const warnings = () => log.warn.mock.calls.map(([text]) => String(text))
  return { ...start({ debug: debug(log), ...options }), log, warnings }
}

const neverOpens = 'Sallyport: the socket will never open.'

describe('debug', () => {
  it('tells what a socket does, and no credential', async () => {
    const { socket, open, current, retry, log, warnings } = watched()
    await open()
    current().end(1012)
    await retry()
    await open()
    socket.close(4000, 'bye')
    current().end(4000, 'bye')
    const told = log.debug.mock.calls.map(([, what]) => what)
    const events = ['authenticated', 'open', 'attempt 1 in 5000 ms', 'close', 'authenticated', 'open', 'close']
    expect(told).toEqual(events)
    expect(JSON.stringify(log.debug.mock.calls)).not.toMatch(/t1|t2/)
    expect(warnings()).toEqual([])
  })

  it.each([
    ['a ticket route that is not there', refused(404), '(404)'],
    ['a ticket route that wants a login page', refused(302), 'redirected'],
    ['a ticket route that answers HTML', () => new Response('<!doctype html>'), 'a page, most likely'],
    ['a ticket route that takes no POST', refused(405), '405'],
    ['a ticket route that is for other origins', refused(403), '`origins`'],
  ])('warns once of %s', async (_what, answer, words) => {
    const { fetch } = fakeFetch(answer)
    const { warnings } = watched({ credential: ticket('/ws/ticket'), fetch })
    await settled()
    expect(warnings()).toEqual([expect.stringContaining(words)])
    expect(warnings()[0]).toMatch(neverOpens)
  })

  it('warns of a function that throws an error of its programmer, and shows it', async () => {
    const credential = ticket(() => (undefined as unknown as { token: string }).token)
    const { warnings, log } = watched({ credential })
    await settled()
    expect(warnings()).toEqual([expect.stringContaining('your function')])
    expect(log.warn.mock.lastCall?.[1]).toBeInstanceOf(TypeError)
  })

  it('warns of a message that the server does not take', async () => {
    const { open, current, warnings } = watched()
    await open()
    current().end(1009)
    expect(warnings()).toEqual([expect.stringContaining('1009')])
  })

  it('warns once of a first failure that a browser does not explain, and not of a connection that was lost', async () => {
    const { current, retry, open, warnings } = watched({ credential: cookie() })
    // `ws` would have shown the answer.
    await settled()
    current().break()
    await retry()
    current().break()
    expect(warnings()).toEqual(['Sallyport: the socket does not open.'])
    await retry()
    await open()
    current().break()
    expect(warnings()).toHaveLength(1)
  })

  it('warns of nothing that passes, and of no answer that is for the user', async () => {
    const { open, current, retry, warnings } = watched()
    await open()
    current().end(1013)
    await retry()
    await open()
    current().end(4010)
    expect(warnings()).toEqual([])
  })
})

describe('a socket without debug', () => {
  /** What a socket says on the console by itself. */
  async function said(options: Partial<GuardedSocketOptions>, then?: (started: ReturnType<typeof start>) => unknown) {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const started = start({ debug: undefined as never, ...options })
    await settled()
    await then?.(started)
    const calls = warn.mock.calls
    warn.mockRestore()
    return calls
  }
  const misconfigured = (cause: unknown) => expect.objectContaining({ message: 'Sallyport: misconfigured', cause })

  it.each<[string, () => Response, string]>([
    ['a ticket route that is not there', refused(404), '404'],
    ['a ticket route that answers HTML', () => new Response('<!doctype html>'), '200'],
  ])('warns once of %s, with the answer', async (_what, answer, status) => {
    const calls = await said({ credential: ticket('/ws/ticket'), fetch: fakeFetch(answer).fetch })
    expect(calls).toEqual([[misconfigured(expect.any(Error))]])
    expect(String(calls[0]?.[0].cause)).toContain(`/ws/ticket answered ${status}`)
  })

  it('warns once of a function that throws an error of its programmer, and shows it', async () => {
    const credential = ticket(() => (undefined as unknown as { token: string }).token)
    expect(await said({ credential })).toEqual([[misconfigured(expect.any(TypeError))]])
  })

  it('says nothing of what passes, nor of an answer that is for the user', async () => {
    const calls = await said({}, async ({ open, current, retry }) => {
      current().break()
      await retry()
      await open()
      current().end(1013)
      await retry()
      await open()
      current().end(4010)
    })
    expect(calls).toEqual([])
  })
})

describe('the class of webSocketClass', () => {
  it('warns once where it is debugged, and can be read from the start', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const log = { debug: vi.fn(), warn: vi.fn() }
    const urls: string[] = []
    const Class = webSocketClass({
      credential: cookie(),
      WebSocket: fakeWebSocket().WebSocket,
      clock: new FakeClock(),
      reconnect: false,
      debug(socket) {
        urls.push(socket.url)
        debug(log)(socket)
      },
    })
    const { url } = new Class('ws://api.example.com/ws')
    await settled()
    expect([urls, url, log.warn.mock.calls.length, warn.mock.calls]).toEqual([[''], 'ws://api.example.com/ws', 1, []])
    warn.mockRestore()
  })

  it.each([
    ['a URL in the clear', 'ws://api.example.com/ws', cookie(), 'Use wss: and https:'],
    ['a carrier that its class cannot use', 'wss://api.example.com/ws', header(() => 'secret'), 'takes no headers'],
  ])('warns on the console of %s, and ends as a WebSocket does', async (_what, url, credential, words) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    vi.stubGlobal('document', {})
    const { WebSocket, sockets } = fakeWebSocket()
    const Class = webSocketClass({ credential, WebSocket, clock: new FakeClock(), reconnect: false })
    const socket = new Class(url)
    const seen: string[] = []
    for (const type of ['error', 'close']) socket.addEventListener(type, () => seen.push(type))
    await settled()
    vi.unstubAllGlobals()
    expect([seen, socket.readyState, sockets]).toEqual([['error', 'close'], 3, []])
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(neverOpens), expect.any(TypeError))
    expect(String(warn.mock.lastCall?.[1])).toContain(words)
    warn.mockRestore()
  })
})
