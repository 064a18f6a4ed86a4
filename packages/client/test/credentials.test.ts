import { inspect } from 'node:util'
import {
  auto,
  type Credential,
  CredentialError,
  cookie,
  firstMessage,
  GuardedSocket,
  header,
  renewal,
  staticCredential,
  subprotocol,
  ticket,
  token,
  type UrlSource,
} from '@sallyport/client'
import { decodeBearer } from '@sallyport/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { brokenOff, FakeClock, FakeSocket, fakeFetch, fakeWebSocket, issued, refused, settled, start } from './fakes.js'

afterEach(() => vi.unstubAllGlobals())

/** A WebSocket class as `ws` and React Native have it. */
class Pinging extends FakeSocket {
  ping(): void {}
}

describe('ticket', () => {
  it('presents it by the name that the server has for it', async () => {
    const { fetch } = fakeFetch(issued('first'))
    for (const source of ['/ws/ticket', async () => 'first'] as const) {
      const { open, sockets } = start({ fetch, credential: ticket(source, { parameter: 'access_token' }) })
      await open()
      expect(sockets[0]?.url).toBe('wss://api.example.com/ws?access_token=first')
    }
  })

  it('posts to the endpoint on the socket’s own host, for every attempt', async () => {
    const { fetch, requests } = fakeFetch(issued('first/ticket'), issued('second'))
    const { socket, open, current, clock, sockets } = start({ fetch, credential: ticket('/ws/ticket') })
    await open()
    current().break()
    await clock.advance(500)
    expect(requests.map(({ url }) => url)).toEqual(Array(2).fill('https://api.example.com/ws/ticket'))
    expect(requests[0]?.init).toMatchObject({ method: 'POST', credentials: 'include' })
    expect(requests[0]?.init.headers).toEqual({})
    expect(sockets.map(({ url }) => url)).toEqual([
      'wss://api.example.com/ws?ticket=first%2Fticket',
      'wss://api.example.com/ws?ticket=second',
    ])
    expect(socket.url).toBe('wss://api.example.com/ws')
  })

  it('bears a token of its own, and then no cookies', async () => {
    const { fetch, requests } = fakeFetch(issued('t'))
    const seen: string[] = []
    const credential = ticket('https://login.example.com/ticket', {
      token: async ({ reason }) => {
        seen.push(reason)
        return 'access-token'
      },
    })
    const { open } = start({ fetch, credential })
    await open()
    expect(requests[0]).toMatchObject({
      url: 'https://login.example.com/ticket',
      init: { credentials: 'omit', headers: { authorization: 'Bearer access-token' } },
    })
    expect(seen).toEqual(['first'])
  })

  it('takes a function instead of an endpoint', async () => {
    const { open, current } = start({ credential: ticket(async () => 'own') })
    await open()
    expect(current().url).toBe('wss://api.example.com/ws?ticket=own')
  })

  it('aborts the request when the socket is closed', async () => {
    const { fetch, requests } = fakeFetch(() => new Promise<Response>(() => {}))
    const { socket } = start({ fetch, credential: ticket('/ws/ticket') })
    await settled()
    expect(requests[0]?.init.signal?.aborted).toBe(false)
    socket.close()
    expect(requests[0]?.init.signal?.aborted).toBe(true)
  })

  it.each<[string, () => Response]>([
    ['200', () => Response.json({ ticket: 't' })],
    ['201 without a body', () => new Response(null, { status: 201 })],
    ['201 with null', () => Response.json(null, { status: 201 })],
    ['201 without a ticket', () => Response.json({ token: 't' }, { status: 201 })],
    ['201 with an empty ticket', () => Response.json({ ticket: '' }, { status: 201 })],
    ['201 with a number', () => Response.json({ ticket: 7 }, { status: 201 })],
    ['200 with a page', () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })],
    ['a redirect', refused(302)],
    ['a redirect that a browser hides', () => Response.error()],
    ['404', refused(404)],
  ])('K18 stops at an endpoint that answers %s, and says so', async (_what, answer) => {
    const { fetch } = fakeFetch(answer, issued('t'))
    const { events, clock, sockets } = start({ fetch, credential: ticket('/ws/ticket') })
    await clock.advance(600_000)
    expect(sockets).toHaveLength(0)
    const status = answer().status || 302
    expect(events.types()).toEqual(['terminal', 'error', 'close'])
    expect(events.last('terminal')).toMatchObject({
      outcome: { kind: 'misconfigured', status, cause: { message: `/ws/ticket answered ${status}` } },
    })
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['a broken network', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['an answer that breaks off', brokenOff(201)],
    ['502 with a page', () => new Response('<!doctype html>', { status: 502 })],
  ])('K18 comes again after %s', async (_what, answer) => {
    const { fetch } = fakeFetch(answer, issued('t'))
    const { clock, sockets } = start({ fetch, credential: ticket('/ws/ticket') })
    await clock.advance(500)
    expect(sockets).toHaveLength(1)
  })

  it('calls an endpoint that cannot be reached `network`, and ambiguous', async () => {
    const cause = new TypeError('Failed to fetch')
    const { fetch } = fakeFetch(() => Promise.reject(cause), issued('t'))
    const { events } = start({ fetch, credential: ticket('/ws/ticket') })
    await settled()
    const { outcome } = events.last('reconnecting') as unknown as { outcome: { cause: unknown } }
    expect(outcome).toMatchObject({ kind: 'network', ambiguous: true })
    expect(outcome.cause).toBeInstanceOf(CredentialError)
    expect(outcome.cause).toMatchObject({ cause })
  })
})

describe('the other carriers', () => {
  it('token() goes into the query', async () => {
    const { open, current } = start({ credential: token(() => 'a.b+c/d=') })
    await open()
    expect(current().url).toBe('wss://api.example.com/ws?token=a.b%2Bc%2Fd%3D')
  })

  it('token() goes by the name that the server has for it', async () => {
    const { open, current } = start({ credential: token(() => 'abc', { parameter: 'access_token' }) })
    await open()
    expect(current().url).toBe('wss://api.example.com/ws?access_token=abc')
  })

  it('subprotocol() goes beside the application’s own', async () => {
    const { current, socket } = start({ credential: subprotocol(() => 'secret'), protocols: 'chat' })
    await settled()
    const [own, bearer, ...more] = current().second as string[]
    expect(own).toBe('chat')
    expect(decodeBearer(bearer ?? '')).toBe('secret')
    expect(more).toEqual([])
    current().open('chat')
    expect(socket.protocol).toBe('chat')
  })

  it('subprotocol() needs protocols', () => {
    const credential = subprotocol(() => 't')
    expect(() => start({ credential })).toThrow('subprotocol() needs `protocols`')
    expect(() => start({ credential, protocols: [] })).toThrow(TypeError)
    expect(() => start({ credential, protocols: ['chat'] })).not.toThrow()
  })

  it('cookie() presents nothing', async () => {
    const { open, current } = start({ credential: cookie() })
    await open()
    expect(current()).toMatchObject({ url: 'wss://api.example.com/ws', second: [], third: undefined })
  })

  it('staticCredential() makes a source of a fixed string', async () => {
    const { open, current } = start({ credential: token(staticCredential('fixed')) })
    await open()
    expect(current().url).toBe('wss://api.example.com/ws?token=fixed')
  })

  it.each<[string, (source: never) => Credential]>([
    ['token', token],
    ['header', header],
    ['subprotocol', subprotocol],
    ['firstMessage', firstMessage],
    ['ticket', (source) => ticket('/ws/ticket', { token: source })],
  ])('%s() refuses a bare string', (_name, carrier) => {
    expect(() => carrier('secret' as never)).toThrow('Pass a function')
    expect(() => carrier(staticCredential('secret') as never)).not.toThrow()
  })

  it('the socket refuses a bare string', () => {
    expect(() => start({ credential: 'secret' as never })).toThrow('Pass a function')
  })
})

describe('header', () => {
  const credential = header(() => 'secret')
  const headers = { authorization: 'Bearer secret' }

  it('goes into the third argument of `ws` and React Native', async () => {
    const made: FakeSocket[] = []
    const WebSocket = class extends Pinging {
      constructor(url: string, second?: unknown, third?: unknown) {
        super(url, second, third)
        made.push(this)
      }
    }
    start({ credential, WebSocket, protocols: 'chat' })
    await settled()
    expect(made[0]).toMatchObject({ url: 'wss://api.example.com/ws', second: ['chat'], third: { headers } })
  })

  it('goes into the second argument of a server’s own class, though it may have `ping`', async () => {
    const made: FakeSocket[] = []
    vi.stubGlobal(
      'WebSocket',
      class extends Pinging {
        constructor(url: string, second?: unknown, third?: unknown) {
          super(url, second, third)
          made.push(this)
        }
      },
    )
    new GuardedSocket('wss://api.example.com/ws', { credential, protocols: 'chat', clock: new FakeClock() })
    await settled()
    expect(made[0]).toMatchObject({ second: { protocols: ['chat'], headers }, third: undefined })
  })

  it('is refused in a browser', () => {
    expect(() => start({ credential })).not.toThrow()
    vi.stubGlobal('document', {})
    expect(() => start({ credential })).toThrow('This WebSocket takes no headers')
    vi.unstubAllGlobals()
    vi.stubGlobal('process', undefined)
    expect(() => start({ credential })).toThrow('This WebSocket takes no headers')
  })
})

describe('auto', () => {
  it('is the header where the class takes one, and a ticket elsewhere', async () => {
    const { fetch, requests } = fakeFetch(issued('t'))
    const credential = auto({ token: () => 'secret', ticket: '/ws/ticket' })
    const onServer = start({ fetch, credential })
    await settled()
    expect(onServer.current()).toMatchObject({
      url: 'wss://api.example.com/ws',
      second: { protocols: [], headers: { authorization: 'Bearer secret' } },
    })
    expect(requests).toHaveLength(0)
    vi.stubGlobal('document', {})
    const inBrowser = start({ fetch, credential })
    await settled()
    expect(requests[0]?.init.headers).toEqual({ authorization: 'Bearer secret' })
    expect(inBrowser.current()).toMatchObject({
      url: 'wss://api.example.com/ws?ticket=t',
      second: [],
      third: undefined,
    })
  })
})

describe('a credential of the application’s own', () => {
  it.each<[string, UrlSource, string[]]>([
    ['is called when the socket is made, and again for every attempt', 'wss://api.example.com/ws', ['called']],
    ['is called for every attempt where the URL comes from a function', () => 'wss://api.example.com/ws', []],
  ])('%s, and what it then returns is called once', async (_what, url, made) => {
    const calls: string[] = []
    const own: Credential = () => {
      calls.push('called')
      return () => {
        calls.push('presented')
        return {}
      }
    }
    const { open, current, retry } = start({ credential: own }, url)
    expect(calls).toEqual(made)
    await open()
    expect(calls).toEqual([...made, 'called', 'presented'])
    current().break()
    await retry()
    expect(calls).toEqual([...made, 'called', 'presented', 'called', 'presented'])
  })
})

describe('K01 redirects', () => {
  it('K01 lets fetch follow none', async () => {
    const { fetch, requests } = fakeFetch(issued('t'))
    const { open } = start({ fetch, credential: ticket('/ws/ticket', { token: () => 'secret' }) })
    await open()
    expect(requests[0]?.init.redirect).toBe('manual')
  })
})

describe('K02 plain text, and hosts that nobody configured', () => {
  it.each([
    'ws://api.example.com/ws',
    'http://api.example.com/ws',
    'ws://127.0.0.1.example.com/',
    'ws://notlocalhost/',
    'ws://10.0.2.2/',
    'ws://localhost.example.com/',
  ])('K02 refuses %s unless told otherwise', (url) => {
    expect(() => start({}, url)).toThrow('Use wss: and https:')
    expect(() => start({}, url.replace(/^(ws|http)/, '$1s'))).not.toThrow()
    expect(() => start({ dangerouslyAllowPlaintext: true }, url)).not.toThrow()
  })

  it.each(['ws://localhost:8080/', 'http://app.localhost/', 'ws://127.0.0.1/', 'ws://127.8.9.1/', 'ws://[::1]:1/'])(
    'K02 takes the loopback %s',
    async (url) => {
      const { current } = start({}, url)
      await settled()
      expect(new URL(current().url).protocol).toBe('ws:')
    },
  )

  it('K02 refuses a ticket endpoint in the clear', () => {
    const credential = ticket('http://api.example.com/ticket')
    expect(() => start({ credential })).toThrow('Use wss:')
    expect(() => start({ credential, dangerouslyAllowPlaintext: true })).not.toThrow()
    expect(() => start({ credential: ticket('https://api.example.com/ticket') })).not.toThrow()
  })

  it('K02 dials the configured host, whatever the ticket endpoint answers', async () => {
    const answer = { ticket: 't@evil.example/', url: 'wss://evil.example/ws', endpoint: 'wss://evil.example/ws' }
    const { fetch } = fakeFetch(() => Response.json(answer, { status: 201 }))
    const { open, current } = start({ fetch, credential: ticket('/ws/ticket') })
    await open()
    expect(current().url).toBe('wss://api.example.com/ws?ticket=t%40evil.example%2F')
  })

  it('K02 resolves a relative URL against the page', async () => {
    expect(() => start({}, '/ws')).toThrow(TypeError)
    vi.stubGlobal('location', new URL('https://app.example.com/page?x#y'))
    const { socket } = start({}, '/ws')
    expect(socket.url).toBe('wss://app.example.com/ws')
  })
})

describe('K19 a URL that holds a credential', () => {
  const urls = [
    'wss://ada:SECRET@api.example.com/ws',
    'wss://SECRET@api.example.com/ws',
    'wss://:SECRET@api.example.com/',
  ]

  it.each([...urls, 'wss://ada:SECRET@[/'])('K19 is refused at once, and not quoted: %s', (url) => {
    const error = thrownBy(() => start({}, url))
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error, { showHidden: true })).not.toContain('SECRET')
  })

  it.each(urls)('K19 is refused for the endpoints too: %s', (url) => {
    const endpoint = url.replace('wss', 'https')
    for (const options of [{ credential: ticket(endpoint) }, { renew: renewal(endpoint) }]) {
      expect(() => start(options)).toThrow('No password in a URL')
    }
    expect(() => start({ credential: ticket('https://api.example.com/ws') })).not.toThrow()
  })

  it('K19 ends the socket where a function answers it', async () => {
    const { socket, events, sockets } = start({}, () => 'wss://ada:SECRET@api.example.com/ws')
    await settled()
    expect(sockets).toHaveLength(0)
    const { outcome } = events.last('terminal')
    expect(outcome).toMatchObject({ kind: 'misconfigured' })
    expect(inspect([outcome, events.log, socket.url], { depth: 9 })).not.toContain('SECRET')
  })
})

describe('K02 a URL that is given once', () => {
  it('K02 leads where it led when the socket was made, whatever becomes of the object', async () => {
    const url = new URL('wss://api.example.com/ws')
    const { current, open, retry, sockets } = start({}, url)
    url.host = 'elsewhere.example.com'
    await open()
    current().break()
    await retry()
    expect(sockets.map(({ url }) => new URL(url).host)).toEqual(['api.example.com', 'api.example.com'])
  })

  it('K02 is that of the endpoints too', async () => {
    const endpoint = new URL('https://api.example.com/endpoint')
    const { fetch, requests } = fakeFetch(issued('t'), refused(503))
    const { open } = start({ fetch, credential: ticket(endpoint), renew: renewal(endpoint) })
    endpoint.host = 'elsewhere.example.com'
    await open()
    expect(requests.map(({ url }) => url)).toEqual(Array(2).fill('https://api.example.com/endpoint'))
  })

  it('K02 is relative to the page as it was then', async () => {
    vi.stubGlobal('location', new URL('https://app.example.com/room/1'))
    const { current, open, retry, sockets } = start({}, 'ws')
    await open()
    vi.stubGlobal('location', new URL('https://app.example.com/settings/profile'))
    current().break()
    await retry()
    expect(sockets.map(({ url }) => url)).toEqual([
      'wss://app.example.com/room/ws?ticket=t1',
      'wss://app.example.com/room/ws?ticket=t2',
    ])
  })
})

describe('a URL that comes from a function', () => {
  it('is asked for at every attempt, before the credential', async () => {
    const asked: string[] = []
    let count = 0
    const { socket, open, current, retry, reasons } = start({}, async ({ reason }) => {
      asked.push(`${reason} ${reasons.length}`)
      return `wss://node${++count}.example.com/ws`
    })
    expect(socket.url).toBe('')
    await open()
    expect(current().url).toBe('wss://node1.example.com/ws?ticket=t1')
    expect(socket.url).toBe('wss://node1.example.com/ws')
    current().break()
    await retry()
    await open()
    expect(current().url).toBe('wss://node2.example.com/ws?ticket=t2')
    expect(asked).toEqual(['first 0', 'reconnect 1'])
  })

  it('is what the ticket endpoint is relative to', async () => {
    const { fetch, requests } = fakeFetch(issued('t'))
    const { open } = start({ fetch, credential: ticket('/ws/ticket') }, () => new URL('wss://node7.example.com/ws'))
    await open()
    expect(requests[0]?.url).toBe('https://node7.example.com/ws/ticket')
  })

  it('K02 stops where it is in the clear', async () => {
    const { events, sockets } = start({}, () => 'ws://api.example.com/ws')
    await settled()
    expect(sockets).toHaveLength(0)
    const cause = new TypeError('Use wss: and https:')
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'misconfigured', cause } })
  })

  it('K10 backs off when it fails, and is given up after 10 s', async () => {
    let count = 0
    const { clock, events, sockets, reasons } = start({}, () => {
      if (++count === 1) throw new Error('no node is known')
      return count === 2 ? new Promise<string>(() => {}) : 'wss://api.example.com/ws'
    })
    await clock.advance(500)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'unavailable' }, attempt: 1 })
    await clock.advance(10_000)
    expect(events.last('error').error).toMatchObject({ cause: new Error('No credential') })
    expect(reasons).toEqual([])
    await clock.advance(1_000)
    expect(sockets).toHaveLength(1)
  })

  it('K08 asks for no credential once the socket was closed meanwhile', async () => {
    let answer = (_url: string) => {}
    const { socket, reasons } = start({}, () => new Promise<string>((resolve) => (answer = resolve)))
    await settled()
    socket.close()
    answer('wss://api.example.com/ws')
    await settled()
    expect(reasons).toEqual([])
  })
})

/** What it throws. */
function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

describe('K13 no credential in what is told', () => {
  it('K13 keeps it out of every event, error and property', async () => {
    const { fetch } = fakeFetch(refused(500), refused(503), issued('SECRET'), () =>
      Response.json({ secret: 'SECRET' }, { status: 201 }),
    )
    const credential = ticket('/ws/ticket', { token: () => 'SECRET' })
    const { socket, events, current, retry } = start({ fetch, credential })
    await settled()
    await retry()
    await retry()
    current().break()
    await retry()
    const told = events.log.map(({ event }) => [event, event.outcome, event.error, event.message])
    const text = JSON.stringify([told, socket.url], (_key, value) =>
      value instanceof Error ? [value.message, value.stack, value.cause] : value,
    )
    expect([events.count('error'), events.count('terminal')]).toEqual([4, 1])
    expect(current().url).toContain('SECRET')
    expect(text).not.toContain('SECRET')
  })
})

describe('a runtime without WebSocket', () => {
  it('is told of at once', () => {
    const credential = cookie()
    vi.stubGlobal('WebSocket', undefined)
    expect(() => new GuardedSocket('wss://api.example.com/', { credential })).toThrow('Pass a WebSocket')
    const { WebSocket } = fakeWebSocket()
    new GuardedSocket('wss://api.example.com/', { credential, WebSocket }).close()
  })
})
