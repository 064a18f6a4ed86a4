import {
  ConfigurationError,
  cookie,
  createGuard,
  createRoutes,
  firstMessage,
  type GuardEvent,
  type OriginPolicy,
  query,
  UnavailableError,
} from '@sallyport/server'
import { testServer } from '@sallyport/server/testing'
import { describe, expect, it, vi } from 'vitest'
import { testClock } from '../support/clock.js'
import { origin, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'

const accept = [cookie({ name: 'session', verify: verifyGood }), query({ verify: verifyGood })] as const
const guardOf = (origins: readonly string[] | OriginPolicy, clock = testClock()) =>
  createGuard({ origins, accept, clock })

/** A handshake of the user's browser, on a page of that origin. */
const from = (page: string) =>
  handshake({
    headers: [
      ['cookie', 'session=good-ada'],
      ['origin', page],
    ],
  })

/** Which of the pages connect. */
async function connecting(origins: readonly string[] | OriginPolicy, pages: readonly string[]): Promise<string[]> {
  const guard = guardOf(origins)
  const allowed: string[] = []
  for (const page of pages) {
    const verdict = await guard.decide(from(page))
    if (verdict.type === 'accept') allowed.push(page)
    else expect(verdict).toMatchObject({ reason: 'origin-not-allowed', by: 'status' })
  }
  return allowed
}

describe('D21 a wildcard under which everybody may have a name', () => {
  it.each([
    ['com', 'example.com'],
    ['co.uk', 'example.co.uk'],
    ['vercel.app', 'example.vercel.app'],
    ['github.io', 'example.github.io'],
    ['herokuapp.com', 'example.herokuapp.com'],
    ['pages.dev', 'example.pages.dev'],
    ['web.app', 'example.web.app'],
    ['ngrok-free.app', 'example.ngrok-free.app'],
    ['azurewebsites.net', 'example.azurewebsites.net'],
    ['s3.amazonaws.com', 'example.s3.amazonaws.com'],
    ['foo.ck', 'example.foo.ck'],
    ['xn--p1ai', 'example.xn--p1ai'],
    ['VERCEL.app', 'example.vercel.app'],
    ['localhost', 'app.localhost'],
    ['internal', 'corp.internal'],
  ])('D21 is refused at start: *.%s', (suffix, own) => {
    for (const port of ['', ':8443']) {
      expect(() => guardOf([`https://*.${suffix}${port}`])).toThrow(ConfigurationError)
      expect(() => guardOf([origin, `https://*.${suffix}${port}`])).toThrow('would trust strangers')
      expect(() => guardOf([`https://*.${own}${port}`, `https://${own}${port}`])).not.toThrow()
    }
  })

  it('D21 is told apart from a single host there, which is its own', async () => {
    const pages = ['https://example.vercel.app', 'https://evil.vercel.app', 'https://a.example.vercel.app']
    expect(await connecting(['https://example.vercel.app', 'https://*.example.vercel.app'], pages)).toEqual([
      'https://example.vercel.app',
      'https://a.example.vercel.app',
    ])
  })
})

describe('D22 an application that is no web page', () => {
  const applications = [
    'app://.',
    'app://bundle',
    'tauri://localhost',
    'http://tauri.localhost',
    'https://tauri.localhost',
    'capacitor://localhost',
    'https://localhost',
    'http://localhost',
    'ionic://localhost',
    'chrome-extension://ghbmnnjooekpmoecnnnilnnbdlolhkhi',
    'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'safari-web-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'file://',
    'vscode-webview://1bs6a5a1kdgk9onm',
  ]

  it.each(applications)('D22 is named exactly: %s', async (application) => {
    const { length } = application
    const lookalikes = [
      `${application}x`,
      application.slice(0, length - 1),
      `${application}/`,
      `x${application}`,
      'null',
    ]
    expect(await connecting([application], [...applications, ...lookalikes])).toEqual([application])
  })

  it('D22 may have a host that differs by window, of its scheme alone', async () => {
    const windows = ['vscode-webview://1bs6a5a1kdgk9onm', 'vscode-webview://0f']
    const others = [
      'vscode-webview://',
      'vscode-webview://0f.evil',
      'vscode-webview://0f:80',
      'vscode-webview://0f/',
      'vscode-webview://*',
      'vscode-webviewx://0f',
      'https://0f',
      'app://0f',
    ]
    expect(await connecting(['vscode-webview://*'], [...windows, ...others])).toEqual(windows)
  })

  it.each([
    'https://*',
    'http://*',
    'ws://*',
    'wss://*',
    'file://*',
    'chrome-extension://*',
    'moz-extension://*',
    'safari-web-extension://*',
    'vscode-webview://*:*',
    'vscode-webview://*x',
    '*://*',
    'https://.',
    'http://.',
    'null',
  ])('D22 is not every host of a scheme that others have too: %s', (wildcard) => {
    expect(() => guardOf([wildcard])).toThrow(ConfigurationError)
    expect(() => guardOf(['vscode-webview://*', 'app://.'])).not.toThrow()
  })
})

describe('D23 origins from a function', () => {
  const tenants = new Set(['https://ada.example.com', 'capacitor://localhost'])

  it.each<[string, OriginPolicy]>([
    ['at once', (page) => tenants.has(page)],
    ['later', async (page) => tenants.has(page)],
    [
      'as query builders do',
      // biome-ignore lint/suspicious/noThenProperty: this is what query builders have
      (page) => ({ then: (done: (known: boolean) => void) => done(tenants.has(page)) }) as never,
    ],
  ])('D23 are asked for: %s', async (_, policy) => {
    const pages = [...tenants, 'https://eve.example.com', 'http://ada.example.com']
    expect(await connecting(policy, pages)).toEqual([...tenants])
  })

  it('D23 are told what they ask for, in its one spelling, and the handshake', async () => {
    const policy = vi.fn<OriginPolicy>(() => true)
    const request = from('HTTPS://Ada.Example.com:443')
    expect(await guardOf(policy).decide(request)).toMatchObject({ type: 'accept' })
    expect(policy.mock.calls).toEqual([['https://ada.example.com', request]])
  })

  it.each([
    'null',
    '',
    '*',
    'https://',
    'https://ada.example.com/',
    'https://ada.example.com, https://ada.example.com',
  ])('D23 are not asked about what is no origin: %j', async (page) => {
    const policy = vi.fn<OriginPolicy>(() => true)
    expect(await connecting(policy, [page, origin])).toEqual([origin])
    expect(policy).toHaveBeenCalledTimes(1)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['1', 1],
    ['text', 'true'],
    ['an object', {}],
    ['a promise of an object', Promise.resolve({ allowed: false })],
    ['a promise of text', Promise.resolve('false')],
  ])('D23 are refused by anything but true: %s', async (_, answer) => {
    expect(await connecting((() => answer) as never, [origin])).toEqual([])
    expect(await connecting(() => true, [origin])).toEqual([origin])
  })

  const unavailable = new UnavailableError('the database of tenants is down')
  const bug = new TypeError('undefined is no tenant')
  it.each<[string, OriginPolicy, string, Error]>([
    ['throws because its database is down', () => throwing(unavailable), 'dependency-unavailable', unavailable],
    ['rejects because its database is down', async () => throwing(unavailable), 'dependency-unavailable', unavailable],
    ['throws', () => throwing(bug), 'internal-error', bug],
    ['rejects', async () => throwing(bug), 'internal-error', bug],
  ])('D23 neither accept nor end anything when the function %s', async (_, policy, reason, error) => {
    const guard = guardOf(policy)
    const events: GuardEvent[] = []
    guard.subscribe((event) => events.push(event))
    expect(await guard.decide(from(origin))).toMatchObject({ type: 'refuse', reason, by: 'status', error })
    const byQuery = handshake({ target: '/ws?token=good-ada', headers: [['origin', origin]] })
    expect(await guard.decide(byQuery)).toMatchObject({ reason, error })
    expect(events).toMatchObject([
      { type: 'refused', reason, error },
      { type: 'refused', reason, error },
    ])
    expect(await guardOf(() => true).decide(from(origin))).toMatchObject({ type: 'accept' })
  })

  it('D23 are asked again for a first message, and for a renewal by message', async () => {
    const clock = testClock()
    let allowed = true
    const policy = vi.fn<OriginPolicy>(() => allowed)
    const guard = createGuard({ origins: policy, accept: [firstMessage({ verify: verifyGood })], clock })
    const client = await testServer(guard, () => {}, { clock }).connect({ origin })
    const auth = async () => {
      client.send('{"type":"auth","token":"good-ada"}')
      return JSON.parse(String(await client.receive()))
    }
    expect(await auth()).toMatchObject({ type: 'auth_ok' })
    expect(policy).toHaveBeenCalledTimes(2)
    expect(await auth()).toMatchObject({ type: 'auth_ok' })
    expect(policy).toHaveBeenCalledTimes(3)
    allowed = false
    expect(await auth()).toEqual({ type: 'auth_fail' })
    expect(policy.mock.calls.map(([page]) => page)).toEqual([origin, origin, origin, origin])
  })

  it('D23 have the time that a verifier has, and no more', async () => {
    const clock = testClock()
    let answer = (_: boolean) => {}
    const policy = () => new Promise<boolean>((resolve) => (answer = resolve))
    const guard = createGuard({ origins: policy, accept, clock, verifyTimeout: 2_000 })
    const deciding = guard.decide(from(origin))
    clock.advance(1_999)
    answer(true)
    expect(await deciding).toMatchObject({ type: 'accept' })
    expect(clock.pending).toBe(0)
    const late = guard.decide(from(origin))
    clock.advance(2_000)
    expect(await late).toMatchObject({ type: 'refuse', reason: 'dependency-unavailable' })
    answer(true)
    expect(clock.pending).toBe(0)
  })

  it('D23 end nothing when they reject after their time', async () => {
    const clock = testClock()
    let fail = (_: Error) => {}
    const guard = guardOf(() => new Promise<boolean>((_, reject) => (fail = reject)), clock)
    const late = guard.decide(from(origin))
    clock.advance(5_000)
    expect(await late).toMatchObject({ reason: 'dependency-unavailable' })
    fail(new Error('late'))
  })

  it('D23 decide over the routes and their CORS headers, asked once for both', async () => {
    const policy = vi.fn<OriginPolicy>(async (page) => page === origin)
    const routes = createRoutes(createGuard({ origins: policy, accept, clock: testClock() }), { path: '/ws' })
    const call = async (method: string, page: string) => {
      const headers = { origin: page, cookie: 'session=good-ada' }
      const answer = await routes.fetch(new Request('http://test/ws/renew', { method, headers }))
      return [answer?.status, answer?.headers.get('access-control-allow-origin')]
    }
    expect(await call('OPTIONS', origin)).toEqual([204, origin])
    expect(await call('OPTIONS', 'https://evil.example')).toEqual([405, null])
    expect(policy).toHaveBeenCalledTimes(2)
    expect(await call('POST', origin)).toEqual([404, origin])
    expect(await call('POST', 'https://evil.example')).toEqual([403, null])
    expect(policy).toHaveBeenCalledTimes(4)
  })

  it.each([
    [unavailable, 503],
    [bug, 500],
  ])('D23 leave no page without an answer when the function throws %s', async (error, status) => {
    const guard = createGuard({ origins: () => throwing(error), accept })
    const routes = createRoutes(guard, { path: '/ws' })
    const events: GuardEvent[] = []
    guard.subscribe((event) => events.push(event))
    for (const method of ['OPTIONS', 'POST']) {
      const answer = await routes.fetch(new Request('http://test/ws/renew', { method, headers: { origin } }))
      expect(answer?.status).toBe(status)
      expect(answer?.headers.get('access-control-allow-origin')).toBe(null)
    }
    expect(events).toMatchObject([{ error }, { error }])
  })
})

function throwing(error: Error): never {
  throw error
}
