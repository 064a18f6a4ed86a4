import { encodeBearer } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { origin } from '../../support/guard.js'
import { RawClient, type RawHeaders, rawFrame, rawHandshake, rawOpen, rawRequest } from '../../support/raw.js'
import { startWorkerd, type Workerd } from '../../support/workerd.js'

let workerd: Workerd

beforeAll(async () => {
  const quiet = { QUIET: 'Quiet', QUIET_ROOM: 'QuietRoom' }
  workerd = await startWorkerd(new URL('worker.ts', import.meta.url), { STORE: 'Sallyport', ROOM: 'Room', ...quiet })
})
afterAll(() => workerd.stop())

const ada = { Authorization: 'Bearer good-ada' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })
const url = (path: string) => `http://127.0.0.1:${workerd.port}${path}`
const post = (path: string, token = 'good-ada', body?: string) =>
  fetch(url(path), { method: 'POST', headers: { authorization: `Bearer ${token}` }, ...(body && { body }) })
const revoke = (target: object) => fetch(url(`/revoke?target=${encodeURIComponent(JSON.stringify(target))}`))
/** What the application has seen since it was asked last. */
const seen = async () => (await (await fetch(url('/seen'))).json()) as string[]

let rooms = 0
const doors: [string, () => string][] = [
  ['a Worker', () => '/ws'],
  ['a Durable Object', () => `/rooms/${++rooms}`],
]

describe.each(doors)('adapter contract: %s', (name, place) => {
  const open = async (headers: RawHeaders = ada, path = place()) => ({
    path,
    ...(await rawOpen(workerd.port, path, headers)),
  })

  describe('accepts', () => {
    it.each<[string, string, RawHeaders]>([
      ['query', '?token=good-ada', {}],
      ['header', '', ada],
      ['cookie', '', { Cookie: 'a=b; session=good-ada', Origin: origin }],
      ['subprotocol', '', { 'Sec-WebSocket-Protocol': `${encodeBearer('good-ada')}, app.v1` }],
    ])('by %s, and echoes no credential', async (method, query, headers) => {
      const { client, head } = await open(headers, place() + query)
      expect(head.status).toBe(101)
      expect(head.headers.get('sec-websocket-protocol')).toBe(method === 'subprotocol' ? 'app.v1' : undefined)
      client.write(rawFrame('grüße'))
      expect(await client.textsUntil(2)).toEqual([`ada by ${method}`, 'grüße'])
    })

    it('by ticket, which opens one connection, and none at another path', async () => {
      const path = place()
      const tickets = await Promise.all([1, 2].map(async () => (await (await post(`${path}/ticket`)).json()).ticket))
      const racers = await Promise.all(
        Array.from({ length: 5 }, () => rawOpen(workerd.port, `${path}?ticket=${tickets[0]}`)),
      )
      expect(racers.map(({ head }) => head.status).sort()).toEqual([101, 401, 401, 401, 401])
      const elsewhere = await rawOpen(workerd.port, `${place()}x?ticket=${tickets[1]}`)
      expect(elsewhere.head.status).not.toBe(101)
    })

    it('by first message, what came behind it in order, and nothing before', async () => {
      await seen()
      const { client } = await open({})
      client.write(Buffer.concat([rawFrame('dropped'), rawFrame(auth('slow-ada')), rawFrame('a'), rawFrame('b')]))
      const [ok, ...texts] = await client.textsUntil(4)
      expect(JSON.parse(ok!)).toMatchObject({ type: 'auth_ok', userId: 'ada', expiresIn: expect.closeTo(3600, -1) })
      expect(texts).toEqual(['ada by message', 'a', 'b'])
      expect(await seen()).toEqual(['handler ada', 'ada a', 'ada b'])
    })

    it('frames in the same segment as the handshake, after the decision', async () => {
      const client = await RawClient.connect(workerd.port)
      const head = rawHandshake(place(), { Authorization: 'Bearer slow-ada' })
      client.write(Buffer.concat([Buffer.from(head), rawFrame('a'), rawFrame('b')]))
      expect(await client.textsUntil(3)).toEqual(['ada by header', 'a', 'b'])
    })

    it.each([
      ['text', Buffer.from('x'.repeat(20_000)), 1],
      ['binary', Buffer.from([0, 255, 128, 10]), 2],
    ])('%s, and leaves it what it is', async (_, payload, opcode) => {
      const { client } = await open()
      client.write(rawFrame(payload, { opcode }))
      await client.until(() => client.frames().length === 2)
      expect(client.frames()[1]).toEqual({ opcode, payload })
    })
  })

  describe('refuses', () => {
    it.each<[string, number, RawHeaders, string?]>([
      ['a bad credential', 401, { Authorization: 'Bearer bad' }],
      ['a malformed credential', 400, { Authorization: 'Basic good-ada' }],
      ['two credentials', 400, ada, '?token=good-ada'],
      ['a foreign origin', 403, { Cookie: 'session=good-ada', Origin: 'https://evil.example' }],
      ['whom the route does not admit', 403, { Authorization: 'Bearer good-mallory' }],
      ['a dependency that is down', 503, { Authorization: 'Bearer down' }],
      ['a verifier that fails', 500, { Authorization: 'Bearer bug' }],
      ['a broken key', 400, { ...ada, 'Sec-WebSocket-Key': 'short' }],
      ['another version', 426, { ...ada, 'Sec-WebSocket-Version': '8' }],
      ['two Authorization headers', 400, { Authorization: ['Bearer good-ada', 'Bearer good-eve'] }],
      ['two Origins', 400, { ...ada, Origin: [origin, origin] }],
      ['the cookie in two lines', 400, { Cookie: ['session=good-ada', 'session=good-eve'], Origin: origin }],
      ['the cookie joined with a comma', 400, { Cookie: 'session=good-ada, session=good-eve', Origin: origin }],
    ])('J40 %s with %i, where a control gets in', async (_, status, headers, query = '') => {
      await seen()
      const path = place()
      const response = await rawRequest(
        workerd.port,
        rawHandshake(path + query, { ...headers, Origin: headers.Origin, Connection: ['Upgrade', 'close'] }),
      )
      expect([response.status, response.headers.get('sec-websocket-accept')]).toEqual([
        // A browser gets a Close, which it can read, where it comes from an allowed page.
        status,
        undefined,
      ])
      expect(JSON.parse(response.body)).toEqual({ error: expect.any(String), message: expect.any(String) })
      const control = await open(ada, path)
      await control.client.textsUntil(1)
      expect(await seen()).toEqual(['handler ada'])
    })

    it('a browser by Close, with a code that it can read', async () => {
      await seen()
      const { client, head } = await open({ Authorization: 'Bearer bad', Origin: origin })
      client.write(rawFrame('hello'))
      expect([head.status, await client.closeFrame()]).toEqual([101, { code: 4001, reason: 'Authentication failed' }])
      expect([client.texts(), await seen()]).toEqual([[], []])
    })

    it.each<[string, (client: RawClient) => void, object]>([
      ['silence', () => {}, { code: 4001, reason: 'Authentication timeout' }],
      ['a bad credential', (client) => client.write(rawFrame(auth('bad'))), { code: 4001 }],
      ['more than a credential may be', (client) => client.write(rawFrame('x'.repeat(30_000))), { code: 1009 }],
      ['whom the route does not admit', (client) => client.write(rawFrame(auth('good-mallory'))), { code: 4003 }],
    ])('%s in place of a first message', async (_, act, close) => {
      await seen()
      const { client } = await open({})
      act(client)
      expect(await client.closeFrame()).toMatchObject(close)
      client.write(rawFrame(auth('good-ada')))
      await (await open()).client.textsUntil(1)
      expect(await seen()).toEqual(['handler ada'])
    })
  })

  describe('ends a connection', () => {
    it.each<[string, object, string, (user: string) => unknown]>([
      ['with its credential', { code: 4019 }, '-1', () => {}],
      ['with a revocation from another request', { code: 4010 }, '', (user) => revoke({ user })],
      ['of a session', { code: 4010 }, '', (user) => revoke({ session: `s-${user}` })],
    ])('J42 %s, and then nothing crosses, whatever its peer does', async (_, close, life, end) => {
      const user = `bob${++rooms}`
      const { client } = await open({ Authorization: `Bearer good-${user}${life}` })
      client.write(rawFrame('before'))
      await client.textsUntil(2)
      await seen()
      const since = Date.now()
      await end(user)
      expect(await client.closeFrame()).toMatchObject(close)
      expect(Date.now() - since).toBeLessThan(3_000)
      for (let i = 0; i < 3; i += 1) client.write(rawFrame(`after ${i}`))
      // Who comes behind it is served when what it sent has come.
      const control = await open({ Authorization: 'Bearer good-eve' })
      control.client.write(rawFrame('control'))
      expect(await control.client.textsUntil(2)).toContain('control')
      expect((await seen()).filter((line) => line.includes('after'))).toEqual([])
      expect(client.texts()).toHaveLength(2)
    })

    it('J43 with a revocation, for good: its credential opens no other, and a newer one does', async () => {
      const user = `dan${++rooms}`
      const token = `good-${user}`
      const { client, path } = await open({ Authorization: `Bearer ${token}` })
      await client.textsUntil(1)
      expect((await open({ Authorization: `Bearer ${token}` }, path)).head.status).toBe(101)
      await revoke({ session: `s-${user}` })
      expect(await client.closeFrame()).toMatchObject({ code: 4010 })
      expect((await open({ Authorization: `Bearer ${token}` }, path)).head.status).toBe(401)
      expect((await open({ Authorization: 'Bearer good-eve' }, path)).head.status).toBe(101)
    })

    it('whose application fails, with 1011, and leaves the others alone', async () => {
      const { client, path } = await open()
      const other = await open({ Authorization: 'Bearer good-eve' }, path)
      client.write(rawFrame('fail'))
      // A Worker's own listener is nobody's: the runtime tells of it, and the connection goes on.
      if (name === 'a Durable Object') expect(await client.closeFrame()).toMatchObject({ code: 1011 })
      other.client.write(rawFrame('control'))
      expect(await other.client.textsUntil(2)).toEqual(['eve by header', 'control'])
    })
  })

  describe('lets a connection live on', () => {
    it('that is told of its end, and renewed by a message', async () => {
      const { client } = await open({})
      client.write(rawFrame(auth('good-ada-4')))
      const isTold = () => client.texts().some((text) => text.includes('auth_expiring'))
      await client.until(isTold)
      expect(isTold()).toBe(true)
      client.write(rawFrame(auth('good-ada-600')))
      await client.until(() => /"expiresIn":(600|59\d)/.test(client.texts().at(-1)!))
      client.write(rawFrame(auth('good-eve')))
      expect(await client.closeFrame()).toMatchObject({ code: 4003 })
    })

    it('that is renewed over HTTP, by its id and from another request', async () => {
      const { client, path } = await open({})
      client.write(rawFrame(auth('good-ada-3')))
      const [ok] = await client.textsUntil(1)
      const body = JSON.stringify({ connection: JSON.parse(ok!).connection })
      expect((await post(`${path}/renew`, 'good-eve', body)).status).toBe(403)
      const renewed = await post(`${path}/renew`, 'good-ada-600', body)
      expect([renewed.status, (await renewed.json()).expiresIn]).toEqual([200, expect.closeTo(600, -1)])
    })

    it('and asks the application about each of its messages', async () => {
      const { client } = await open()
      client.write(Buffer.concat([rawFrame('secret'), rawFrame('open')]))
      expect(await client.textsUntil(2)).toEqual(['ada by header', 'open'])
    })
  })

  it('leaves other requests to the application', async () => {
    expect((await fetch(url('/other'))).status).toBe(404)
    expect((await fetch(url(place()))).status).toBe(426)
    expect((await fetch(url(`${place()}/ticket`), { method: 'POST' })).status).toBe(401)
  })
})

describe('a Worker', () => {
  it('J41 refuses a path that is not in its one spelling, as it came over the wire', async () => {
    for (const target of ['/x/../ws', '/./ws', '/%77s']) {
      const { head, client } = await rawOpen(workerd.port, target, ada)
      expect([target, head.status]).toEqual([target, 400])
      client.destroy()
    }
    expect((await rawOpen(workerd.port, '/ws', ada)).head.status).toBe(101)
  })

  it('speaks another dialect', async () => {
    const { client } = await rawOpen(workerd.port, '/graphql', { 'Sec-WebSocket-Protocol': 'graphql-transport-ws' })
    client.write(rawFrame(JSON.stringify({ type: 'connection_init', payload: { token: 'good-ada' } })))
    expect((await client.textsUntil(1))[0]).toBe('ada by message')
    const bad = await rawOpen(workerd.port, '/graphql', { 'Sec-WebSocket-Protocol': 'graphql-transport-ws' })
    bad.client.write(rawFrame(JSON.stringify({ type: 'connection_init', payload: { token: 'bad' } })))
    expect(await bad.client.closeFrame()).toMatchObject({ code: 4401 })
  })

  it('drains: closes who is there, refuses who comes, and is done when the last is gone', async () => {
    const { client } = await rawOpen(workerd.port, '/ws', ada)
    await client.textsUntil(1)
    const drained = fetch(url('/drain'))
    expect(await client.closeFrame()).toMatchObject({ code: 1012 })
    const { head } = await rawOpen(workerd.port, '/ws', ada)
    expect([head.status, head.headers.get('retry-after')]).toEqual([503, '1'])
    client.write(rawFrame(Buffer.from([0x03, 0xf4]), { opcode: 8 }))
    expect((await drained).status).toBe(200)
    await fetch(url('/restart'))
    expect((await rawOpen(workerd.port, '/ws', ada)).head.status).toBe(101)
  })
})

describe.each([
  ['a Worker', () => '/quiet/ws'],
  ['a Durable Object', () => `/quiet/rooms/${++rooms}`],
])('the store behind %s', (_, place) => {
  /** How often it was looked into since it was asked last. */
  const looks = async () => (await (await fetch(url('/looks'))).json()) as number
  const bad = { Authorization: 'Bearer bad' }

  it('J49 is not asked about a request that is not the guard’s, nor about a probe', async () => {
    await looks()
    const path = place()
    expect((await fetch(url(`${path}x/other`))).status).toBe(404)
    expect((await post(`${path}x/other/ticket`)).status).toBe(404)
    expect((await rawOpen(workerd.port, `${path}/other`, ada)).head.status).toBe(404)
    expect((await fetch(url(path))).status).toBe(426)
    expect(await looks()).toBe(0)
  })

  it.each<[string, (path: string) => Promise<number>]>([
    ['a handshake', async (path) => (await rawOpen(workerd.port, path, bad)).head.status],
    ['a call of a route', async (path) => (await post(`${path}/ticket`, 'bad')).status],
  ])('is asked about %s', async (_, act) => {
    await looks()
    expect(await act(place())).toBe(401)
    expect(await looks()).toBe(1)
  })
})
