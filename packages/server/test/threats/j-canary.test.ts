import { inspect } from 'node:util'
import { encodeBearer } from '@sallyport/protocol'
import {
  cookie,
  createGuard,
  createRoutes,
  firstMessage,
  header,
  introspection,
  logRefusals,
  memoryStore,
  query,
  session,
  subprotocol,
  ticket,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import { jwt, logoutToken } from '@sallyport/server/jwt'
import { prometheusMetrics } from '@sallyport/server/prometheus'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { Registry } from 'prom-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { startJsonServer } from '../support/json-server.js'
import { RawClient, type RawHeaders, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { recordingStore } from '../support/recording-store.js'
import { startServer } from '../support/server.js'
import { audience, issuer, now, signingPair, tokenBy } from '../support/tokens.js'

/**
 * Every spelling in which a mark could turn up: as it is, in hex, and in base64 wherever in a longer text it stood. What
 * is percent-encoded is decoded before the search.
 */
function spellings(mark: string): string[] {
  const bytes = Buffer.from(mark)
  const hex = bytes.toString('hex')
  const base64url = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url')
    // The characters at the ends hold bits of the neighbours too.
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
  })
  const base64 = base64url.map((text) => text.replaceAll('-', '+').replaceAll('_', '/'))
  return [mark, hex, hex.replace(/..(?=.)/g, '$& '), ...base64url, ...base64]
}

const percentDecoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

/** The marks that are in a text, in whatever spelling. */
function findMarks(marks: Iterable<string>, text: string): string[] {
  const haystack = `${text}\n${percentDecoded(text)}`
  return [...marks].filter((mark) => spellings(mark).some((spelling) => haystack.includes(spelling)))
}

/** A value as a crash reporter or a debug log would show it, and more. */
const shown = (value: unknown, depth = 8): string =>
  typeof value === 'string'
    ? value
    : inspect(value, { depth, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null })

/** Everything that the process prints while the test runs. */
function captureOutput(sink: (text: string) => void): void {
  const restored: (() => void)[] = []
  for (const stream of [process.stdout, process.stderr]) {
    const spy = vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      sink(String(chunk))
      return true
    })
    restored.push(() => spy.mockRestore())
  }
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    const spy = vi.spyOn(console, name).mockImplementation((...args) => sink(args.map((arg) => shown(arg)).join(' ')))
    restored.push(() => spy.mockRestore())
  }
  const onWarning = (warning: Error) => sink(shown(warning))
  process.on('warning', onWarning)
  restored.push(() => process.off('warning', onWarning))
  onTestFinished(() => {
    for (const restore of restored) restore()
  })
}

const key = signingPair('ES256')
const strangersKey = signingPair('ES256')
const rules = { publicKey: key.publicKey, algorithms: ['ES256'] as const, issuer, audience }
const authFrame = (token: string) => rawFrame(JSON.stringify({ type: 'auth', token }))

/** Mints credentials and knows their marks: of a token its signature, which makes it one; of others all of it. */
class Mint {
  readonly marks = new Set<string>()
  #count = 0

  /** A credential whose name says what becomes of it: `good-ada`, `bad`, `down`, `bug`. */
  opaque(kind: string): string {
    this.#count += 1
    const credential = `${kind}.canary/${this.#count}+${Math.random().toString(36).slice(2).padEnd(12, '~')}`
    this.marks.add(credential)
    return credential
  }

  token(claims: Record<string, unknown> = {}, signer = key, typ = 'at+jwt'): string {
    this.#count += 1
    const token = tokenBy(signer, { header: { typ }, claims: { jti: `t${this.#count}`, sid: 's1', ...claims } })
    this.marks.add(token.slice(token.lastIndexOf('.') + 1))
    return token
  }

  mark(credential: string): string {
    this.marks.add(credential)
    return credential
  }
}

/** What becomes of an opaque credential. */
const judge = (credential: string) => {
  if (credential.startsWith('down')) throw new UnavailableError('the database is down')
  if (credential.startsWith('bug')) throw new TypeError('a bug')
  const [, id] = /^good-(\w+)/.exec(credential) ?? []
  return id === undefined ? undefined : { identity: { id }, session: 's1', issuedAt: now, expiresAt: now + 200_000 }
}

const shortLife = { iat: now / 1000 - 10, exp: now / 1000 + 40 }

/** How each method presents a credential that is good, and some that are not. */
const methods: Record<string, { good(mint: Mint): RawWay; bad(mint: Mint): RawWay[] }> = {
  query: {
    good: (mint) => ({ target: `/ws?room=1&token=${mint.token(shortLife)}` }),
    bad: (mint) => [
      { target: `/ws?token=${mint.token({ ...shortLife, aud: 'other' })}` },
      { target: `/ws?token=${mint.token()}` },
      { target: `/ws?token=${encodeURIComponent(mint.opaque('bad'))}&token=${mint.token(shortLife)}` },
      { target: `/ws?Token=${mint.token(shortLife)}` },
      { target: `/ws/${mint.token(shortLife)}` },
    ],
  },
  header: {
    good: (mint) => ({ headers: { Authorization: `Bearer ${mint.token()}` } }),
    bad: (mint) => [
      { headers: { Authorization: `Bearer ${mint.token({}, strangersKey)}` } },
      { headers: { Authorization: `Bearer ${mint.token({ exp: now / 1000 - 60 })}` } },
      { headers: { Authorization: `Bearer ${mint.token()}.x` } },
      { headers: { Authorization: `Basic ${mint.opaque('bad')}` } },
      { headers: { Authorization: `Bearer ${mint.token()}`, Host: 'a b' } },
      { target: `/ws?token=${mint.token(shortLife)}`, headers: { Authorization: `Bearer ${mint.token()}` } },
    ],
  },
  cookie: {
    good: (mint) => ({ headers: { Origin: origin, Cookie: `a=b; session=${mint.opaque('good-ada')}` } }),
    bad: (mint) => [
      ...['bad', 'down', 'bug'].map((kind) => ({
        headers: { Origin: origin, Cookie: `session=${encodeURIComponent(mint.opaque(kind))}` },
      })),
      { headers: { Origin: origin, Cookie: `session=${mint.opaque('good-ada')}; session=${mint.opaque('bad')}` } },
      { headers: { Origin: 'https://evil.example', Cookie: `session=${mint.opaque('good-ada')}` } },
    ],
  },
  subprotocol: {
    good: (mint) => ({ headers: { 'Sec-WebSocket-Protocol': `app.v1, ${encodeBearer(mint.token())}` } }),
    bad: (mint) => [
      { headers: { 'Sec-WebSocket-Protocol': `app.v1, ${encodeBearer(mint.token({}, strangersKey))}` } },
      { headers: { 'Sec-WebSocket-Protocol': encodeBearer(mint.token()) } },
      { headers: { 'Sec-WebSocket-Protocol': `app.v1, ${encodeBearer(mint.token())}=` } },
    ],
  },
  message: {
    good: (mint) => ({ first: authFrame(mint.opaque('good-ada')) }),
    bad: (mint) => [
      ...['bad', 'down', 'inactive'].map((kind) => ({ first: authFrame(mint.opaque(kind)) })),
      { first: rawFrame(JSON.stringify({ type: 'auth', token: mint.opaque('good-ada'), more: 1 })) },
      { first: authFrame(mint.opaque('bad').repeat(400)) },
    ],
  },
}

/** A handshake and, for the first message, the frame behind it. */
interface RawWay {
  readonly target?: string
  readonly headers?: RawHeaders
  readonly first?: Buffer
}

/** A server of all methods with their real verifiers, and everything that it says, writes or holds. */
async function startWatched(refuseBy: 'status' | 'close', firstMessages: boolean) {
  const texts: string[] = []
  const add = (value: unknown, depth?: number) => texts.push(shown(value, depth))
  const mint = new Mint()
  captureOutput(add)

  const provider = await startJsonServer((response, { body }) => {
    const token = new URLSearchParams(body).get('token') ?? ''
    if (token.startsWith('down')) return response.writeHead(500).end(token)
    const [, sub] = /^good-(\w+)/.exec(token) ?? []
    const claims = { iss: issuer, aud: audience, sub, sid: 's1', iat: now / 1000 - 10, exp: now / 1000 + 200 }
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ active: sub !== undefined, ...claims }))
  })
  const asksProvider = introspection({
    endpoint: provider.url,
    clientId: 'chat',
    clientSecret: mint.mark('secret-canary-of-this-client'),
    issuer,
    audience,
  })
  const verify = jwt(rules)
  const clock = testClock(now)
  const { store, recorded } = recordingStore(memoryStore({ clock }))
  const guard = createGuard({
    origins: [origin],
    protocols: ['app.v1'],
    limits: { failedAttempts: 1_000 },
    refuseBy,
    store,
    clock,
    accept: [
      ticket({ boundCookie: 'device' }),
      query({ verify }),
      header({ verify }),
      cookie({ name: 'session', verify: session(judge) }),
      subprotocol({ verify }),
      // Without it a stale cookie is refused at once.
      ...(firstMessages ? [firstMessage({ verify: asksProvider })] : []),
    ],
  })
  const registry = new Registry()
  prometheusMetrics(guard, { registry })
  logRefusals(guard, add)
  guard.subscribe((event) => add(event))
  const handler: ConnectionHandler<{ id: string }> = (socket, connection) => {
    add(connection)
    add([...connection.query].join())
    texts.push(inspect(socket, { depth: 6, maxStringLength: null, maxArrayLength: null }))
    add(guard.connections)
    add([...guard.connections])
    socket.on('message', (message) => add(String(message)))
    socket.send('welcome')
  }
  const { port } = await startServer(guard, handler)
  const routes = createRoutes(guard, { path: '/ws', logoutToken: logoutToken(rules) })

  /** Sends a handshake, and the first message once it may. */
  async function open({ target = '/ws', headers, first }: RawWay): Promise<RawClient> {
    const { client, head } = await rawOpen(port, target, headers)
    if (first && head.status === 101) client.write(first)
    return client
  }

  /** All that came over a connection, to its end or so far. */
  async function collect(client: RawClient): Promise<void> {
    add((await client.until(() => true)).toString('latin1'))
    for (const { payload } of client.frames()) add(payload.toString())
    client.destroy()
  }

  /** Calls a route over HTTP. */
  async function call(route: string, headers: Record<string, string>, body: string | URLSearchParams = '') {
    const init = { method: 'POST', headers, body }
    // The route of the provider is no part of this server.
    const response = await (body instanceof URLSearchParams
      ? routes.fetch(new Request(`http://test/ws/${route}`, init), '127.0.0.1')
      : fetch(`http://127.0.0.1:${port}/ws/${route}`, init))
    const text = (await response?.text()) ?? ''
    add([...(response?.headers ?? [])].join('\n'))
    return { status: response?.status, text }
  }

  /** Fails when a mark is in anything that was said, written or held. */
  async function expectNoMark(): Promise<void> {
    for (const value of [guard, guard.connections, [...guard.connections], store, routes]) add(value)
    add(recorded.join('\n'))
    add(await registry.metrics())
    await nextTurn()
    expect(mint.marks.size).toBeGreaterThan(0)
    expect(recorded.length + texts.length).toBeGreaterThan(20)
    expect(findMarks(mint.marks, texts.join('\n'))).toEqual([])
  }

  return { guard, clock, mint, add, open, collect, call, expectNoMark }
}

describe('J01 J02 marked credentials', () => {
  it('J01 would be found in each spelling', () => {
    const mark = new Mint().opaque('good-ada')
    const planted: unknown[] = [
      mark,
      encodeURIComponent(mark),
      [...Buffer.from(mark)].map((byte) => `%${byte.toString(16)}`).join(''),
      encodeBearer(mark),
      ...['', 'x', 'xx'].map((before) => encodeBearer(`${before}${mark}, and more`)),
      Buffer.from(`{"token":"${mark}"}`).toString('base64'),
      { deep: { in: [new Map([['it', Buffer.from(mark).subarray(0, 50)]])] } },
      new Error(`bad token ${mark}`),
      Object.defineProperty({}, 'hidden', { value: mark, enumerable: false }),
    ]
    for (const value of planted) expect(findMarks([mark], shown(value)), shown(value)).toEqual([mark])
    expect(findMarks([mark], mark.slice(1))).toEqual([])
  })

  describe.each(['status', 'close'] as const)('J01 J02 are nowhere, refused by %s', (refuseBy) => {
    it.each(Object.entries(methods))('J01 J02 by %s', async (name, { good, bad }) => {
      const { guard, mint, open, collect, expectNoMark } = await startWatched(refuseBy, name === 'message')
      const accepted = await open(good(mint))
      await accepted.until(() => accepted.texts().includes('welcome'))
      expect(guard.connections.size).toBe(1)
      for (const way of bad(mint)) {
        const refused = await open(way)
        await refused.closeFrame()
        expect(refused.texts()).not.toContain('welcome')
        await collect(refused)
      }
      await collect(accepted)
      await expectNoMark()
    })
  })

  it('J01 J02 are nowhere through tickets, renewals, revocation, logout and drain', { timeout: 60_000 }, async () => {
    const { guard, clock, mint, add, open, collect, call, expectNoMark } = await startWatched('close', true)
    const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
    const welcome = async (way: RawWay) => {
      const client = await open(way)
      await client.until(() => client.texts().includes('welcome'))
      return client
    }

    // Tickets, for a Bearer and for a cookie, bound to another cookie; redeemed, replayed, and misused.
    const device = mint.opaque('device')
    for (const headers of [
      { ...bearer(mint.token()), Cookie: `device=${device}` },
      { Cookie: `session=${mint.opaque('good-ada')}; device=${device}`, Origin: origin },
    ]) {
      const { status, text } = await call('ticket', headers)
      expect(status).toBe(201)
      const issued = mint.mark((JSON.parse(text) as { ticket: string }).ticket)
      add(text.replace(issued, ''))
      const target = `/ws?room=1&ticket=${issued}`
      const page = { Cookie: `device=${device}`, ...('Origin' in headers && { Origin: origin }) }
      await collect(await welcome({ target, headers: page }))
      const replayed = await open({ target, headers: page })
      expect((await replayed.closeFrame())?.code).toBe(4001)
      await collect(replayed)
    }
    for (const headers of [bearer(mint.token({}, strangersKey)), bearer(mint.opaque('bad')), {}]) {
      const refused = await call('ticket', headers)
      expect(refused.status).toBe(401)
      add(refused.text)
    }

    // Renewals in-band and over HTTP.
    const renewed = await welcome(methods.message!.good(mint))
    for (const kind of ['good-ada', 'bad', 'down']) renewed.write(authFrame(mint.opaque(kind)))
    await renewed.until(() => renewed.texts().filter((text) => text.includes('auth_')).length > 1)
    const [connection] = guard.connections
    const body = JSON.stringify({ connection: connection?.id })
    const calls: [string, Record<string, string>, string, number][] = [
      ['renew', bearer(mint.token()), body, 200],
      ['renew', bearer(mint.token()), '', 200],
      ['renew', bearer(mint.token({ sub: 'eve', sid: 's2' })), body, 403],
      ['renew', bearer(mint.token({}, strangersKey)), body, 401],
      ['renew', bearer(mint.token()), JSON.stringify({ connection: mint.opaque('unknown') }), 404],
      ['renew', bearer(mint.token()), `{"connection":${mint.opaque('broken')}`, 400],
    ]
    for (const [route, headers, text, status] of calls) {
      const answer = await call(route, headers, text)
      expect(answer.status, answer.text).toBe(status)
      add(answer.text)
    }
    const swapped = await welcome(methods.message!.good(mint))
    swapped.write(authFrame(mint.opaque('good-eve')))
    expect((await swapped.closeFrame())?.code).toBe(4003)
    await collect(swapped)

    // Back-channel logout, of a good token, the same again, and another's.
    const event = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    const logout = mint.token({ events: event, sid: 's9' }, key, 'logout+jwt')
    const foreign = mint.token({ events: event }, strangersKey, 'logout+jwt')
    const leaving = await welcome({ headers: bearer(mint.token({ sid: 's9' })) })
    for (const [token, status] of [
      [logout, 200],
      [logout, 400],
      [foreign, 400],
      [mint.opaque('bad'), 400],
    ] as const) {
      const answer = await call('backchannel-logout', {}, new URLSearchParams({ logout_token: token }))
      expect(answer.status).toBe(status)
      add(answer.text)
    }
    expect((await leaving.closeFrame())?.code).toBe(4010)
    await collect(leaving)

    // Revocation, then what was revoked; expiry; drain, and who comes during it.
    const expiring = await welcome({ target: `/ws?token=${mint.token(shortLife)}` })
    clock.advance(50_000)
    expect((await expiring.closeFrame())?.code).toBe(4019)
    await collect(expiring)
    const revoked = mint.token({ sid: 's3' })
    const ended = await welcome({ headers: bearer(revoked) })
    await guard.revoke({ session: 's3' })
    expect((await ended.closeFrame())?.code).toBe(4010)
    await collect(ended)
    await collect(await open({ headers: bearer(revoked) }))
    const last = await welcome({ headers: bearer(mint.token()) })
    const drained = guard.drain({ within: 0 })
    clock.advance(2_000)
    expect((await last.closeFrame())?.code).toBe(1012)
    await collect(last)
    await collect(renewed)
    await drained
    await collect(await open({ headers: bearer(mint.token()) }))

    await expectNoMark()
  })

  it('J01 J02 are in no log, metric or answer even when a verifier quotes them in its error', async () => {
    const texts: string[] = []
    const clock = testClock(now)
    const mark = new Mint().opaque('bad')
    const verify: Verifier = (credential) => JSON.parse(credential)
    const guard = createGuard({ ...allMethods(verify), refuseBy: 'status', clock })
    const registry = new Registry()
    const errors: unknown[] = []
    prometheusMetrics(guard, { registry })
    logRefusals(guard, (line) => texts.push(line))
    guard.subscribe((event) => event.type === 'refused' && errors.push(event.error))
    const { port } = await startServer(guard)
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', { Authorization: `Bearer ${mark}` }))
    const { status, text } = await client.toEnd()
    expect(status).toBe(500)
    texts.push(text, await registry.metrics())
    // The control: whoever subscribes gets the error as it is.
    expect(String(errors[0])).toContain(mark.slice(0, 8))
    expect(findMarks([mark.slice(0, 8)], texts.join('\n'))).toEqual([])
  })

  it('J01 J02 are not printed when a verifier quotes them in its error, and nobody has subscribed', async () => {
    const printed: string[] = []
    captureOutput((text) => printed.push(text))
    const mark = new Mint().opaque('bad')
    const verify: Verifier = (credential) => JSON.parse(credential)
    const guard = createGuard({ ...allMethods(verify), refuseBy: 'status', clock: testClock(now) })
    const { port } = await startServer(guard)
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', { Authorization: `Bearer ${mark}` }))
    expect((await client.toEnd()).status).toBe(500)
    await nextTurn()
    // The control: that there is a bug is said.
    expect(printed.join()).toContain('SyntaxError')
    expect(findMarks([mark.slice(0, 8)], printed.join('\n'))).toEqual([])
  })
})
