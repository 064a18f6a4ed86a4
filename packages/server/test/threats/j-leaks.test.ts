import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encodeBearer } from '@sallyport/protocol'
import {
  createGuard,
  type Guard,
  type GuardEvent,
  type Identity,
  memoryStore,
  query,
  rejected,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods, origin, verifyGood } from '../support/guard.js'
import { type HeaderLine, handshake } from '../support/handshake.js'
import { RawClient, type RawHeaders, rawFrame, rawHandshake, rawOpen, rawRequest } from '../support/raw.js'
import { recordingStore } from '../support/recording-store.js'
import { startServer } from '../support/server.js'

const clock = testClock()
const authFrame = (token: string) => JSON.stringify({ type: 'auth', token })

/** Everything that a canary could turn up in. */
class Sinks {
  readonly #texts: string[] = []

  add(value: unknown): void {
    this.#texts.push(typeof value === 'string' ? value : inspect(value, { depth: 10, getters: true }))
  }

  /** An accepted socket, as a crash reporter or a debug log would show it. */
  addSocket(socket: unknown): void {
    this.#texts.push(inspect(socket, { depth: 6, maxStringLength: null, maxArrayLength: null }))
  }

  /** Fails when a spelling of the canary is in any of them: as it is, in base64url, or in the hex of a `<Buffer …>`. */
  expectNo(canary: string): void {
    const hex = Buffer.from(canary)
      .toString('hex')
      .replace(/..(?=.)/g, '$& ')
    const all = this.#texts.join('\n')
    expect(all.length).toBeGreaterThan(0)
    for (const spelling of [canary, Buffer.from(canary).toString('base64url'), hex, encodeURIComponent(canary)]) {
      expect(all.includes(spelling), `${spelling} leaked`).toBe(false)
    }
  }
}

/** What the process writes while the test runs. */
function watchOutput(sinks: Sinks): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      sinks.add(String(chunk))
      return true
    })
    onTestFinished(() => write.mockRestore())
  }
}

type Present = (credential: string, port: number) => Promise<RawClient>

/** Opens a connection with a credential, by each method but the ticket. */
const methods: Record<string, Present> = {
  query: async (credential, port) => (await rawOpen(port, `/ws?room=1&token=${credential}`)).client,
  header: async (credential, port) => (await rawOpen(port, '/ws', { Authorization: `Bearer ${credential}` })).client,
  cookie: async (credential, port) =>
    (await rawOpen(port, '/ws', { Origin: origin, Cookie: `a=b; session=${credential}` })).client,
  subprotocol: async (credential, port) =>
    (await rawOpen(port, '/ws', { 'Sec-WebSocket-Protocol': `app.v1, ${encodeBearer(credential)}` })).client,
  message: async (credential, port) => {
    const { client } = await rawOpen(port, '/ws')
    client.write(rawFrame(authFrame(credential)))
    return client
  },
  'message in the segment of the handshake': async (credential, port) => {
    const client = await RawClient.connect(port)
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws')), rawFrame(authFrame(credential))]))
    return client
  },
}

const canaryVerifier: Verifier<Identity> = (credential, { now }) => {
  if (credential.startsWith('Canary-Good')) {
    return { identity: { id: 'ada' }, session: 's1', token: 't1', issuedAt: now, expiresAt: now + 60_000 }
  }
  if (credential.startsWith('Canary-Down')) throw new UnavailableError('the key server is down')
  if (credential.startsWith('Canary-Bug')) throw new TypeError('a bug')
  return rejected('credential-unknown')
}

let count = 0
const canaryOf = (kind: string) => `Canary-${kind}-${++count}-${Math.random().toString(36).slice(2)}`

interface WatchedOptions {
  readonly refuseBy?: 'status' | 'close'
  /** Without first message a stale cookie is refused at once. */
  readonly firstMessage?: boolean
}

/** A server of all methods, with everything that it says or holds in the sinks. */
async function startWatched({ refuseBy = 'status', firstMessage = true }: WatchedOptions = {}) {
  const sinks = new Sinks()
  watchOutput(sinks)
  const { store, recorded } = recordingStore(memoryStore({ clock }))
  const { accept, ...options } = allMethods(canaryVerifier)
  const ways = firstMessage ? accept : accept.slice(0, -1)
  const guard = createGuard({ ...options, accept: ways, refuseBy, store, clock })
  guard.subscribe((event) => sinks.add(event))
  const handler: ConnectionHandler<Identity> = (socket, connection) => {
    sinks.add(connection)
    sinks.add([...connection.query].join())
    sinks.addSocket(socket)
    sinks.add(inspect(guard.connections, { depth: 8, showHidden: true, getters: true }))
    sinks.add(inspect([...guard.connections], { depth: 8, showHidden: true, getters: true }))
    socket.on('message', (message) => sinks.add(String(message)))
    socket.send('welcome')
  }
  const { port } = await startServer(guard, handler)
  const collect = async (client: RawClient) => {
    const bytes = await client.until(() => true)
    sinks.add(bytes.toString('latin1'))
    sinks.add(recorded.join('\n'))
    sinks.add(guard)
    sinks.add(store)
    client.destroy()
  }
  return { sinks, guard, port, collect }
}

describe('J: leaks', () => {
  describe.each(Object.entries(methods))('J01 J02 J12 a credential by %s', (method, present) => {
    it('J01 is nowhere when it is good', async () => {
      const { sinks, guard, port, collect } = await startWatched()
      const canary = canaryOf('Good')
      const client = await present(canary, port)
      await client.until(() => client.texts().includes('welcome'))
      client.write(rawFrame('a message'))
      await client.ping()
      expect(guard.connections.size).toBe(1)
      await collect(client)
      sinks.expectNo(canary)
    })

    it.each(['Bad', 'Down', 'Bug'])('J01 is nowhere when it fails: %s, by status and by Close', async (kind) => {
      for (const refuseBy of ['status', 'close'] as const) {
        const { sinks, guard, port, collect } = await startWatched({
          refuseBy,
          firstMessage: method.startsWith('message'),
        })
        const canary = canaryOf(kind)
        const client = await present(canary, port)
        const close = await client.closeFrame()
        if (close) sinks.add(close)
        expect(client.texts()).not.toContain('welcome')
        expect(guard.connections.size).toBe(0)
        await collect(client)
        sinks.expectNo(canary)
      }
    })
  })

  it('J01 would be found: the control of all these', () => {
    const canary = canaryOf('Good')
    const leaks = (value: unknown) => {
      const sinks = new Sinks()
      sinks.add(value)
      return () => sinks.expectNo(canary)
    }
    for (const value of [canary, { a: { b: Buffer.from(canary) } }, new Error(canary), encodeBearer(canary)]) {
      expect(leaks(value)).toThrow('leaked')
    }
    expect(leaks(canary.slice(1))).not.toThrow()
  })

  it('J01 a ticket, and the credentials that it was issued for, are nowhere but in the answer', async () => {
    const { sinks, guard, port, collect } = await startWatched()
    const canary = canaryOf('Good')
    const issue = async (headers: RawHeaders) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      const request = `POST /ws/ticket HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines.join('')}\r\n`
      const { status, body, text } = await rawRequest(port, request)
      expect(status).toBe(201)
      const { ticket } = JSON.parse(body) as { ticket: string }
      sinks.add(text.replace(ticket, ''))
      return ticket
    }
    for (const headers of [{ Authorization: `Bearer ${canary}` }, { Cookie: `session=${canary}`, Origin: origin }]) {
      const ticket = await issue(headers)
      const { client, head } = await rawOpen(
        port,
        `/ws?ticket=${ticket}&room=1`,
        headers.Origin ? { Origin: origin } : {},
      )
      expect(head.status).toBe(101)
      await client.textsUntil(1)
      await collect(client)
      const replayed = await rawRequest(port, rawHandshake(`/ws?ticket=${ticket}`))
      expect(replayed.status).toBe(401)
      sinks.add(replayed.text)
      sinks.expectNo(ticket)
    }
    sinks.add(guard)
    sinks.expectNo(canary)
  })

  it.each(['Good', 'Bad', 'Down', 'Bug'])('J01 a credential that renews is nowhere: %s', async (kind) => {
    const { sinks, port, collect } = await startWatched()
    const canary = canaryOf(kind)
    const client = await methods.message!(canaryOf('Good'), port)
    await client.textsUntil(2)
    client.write(Buffer.concat([rawFrame(authFrame(canary)), rawFrame('behind')]))
    await client.ping()
    await collect(client)
    sinks.expectNo(canary)
  })

  it('J02 J12 keeps no credential of a handshake that waits for its first message', async () => {
    const { sinks, port, collect } = await startWatched()
    const stale = canaryOf('Bad')
    const { client, head } = await rawOpen(port, '/ws', { Origin: origin, Cookie: `session=${stale}` })
    expect(head.status).toBe(101)
    client.write(rawFrame(authFrame(canaryOf('Good'))))
    await client.textsUntil(2)
    await collect(client)
    sinks.expectNo(stale)
  })

  it('J03 tells no cause of a bad credential', async () => {
    const causes = [
      'credential-placeholder',
      'credential-unreadable',
      'credential-unknown',
      'credential-expired',
      'credential-not-yet-valid',
      'credential-revoked',
      'token-algorithm',
      'token-key',
      'token-signature',
      'token-type',
      'token-issuer',
      'token-audience',
      'token-claims',
    ] as const
    const verify: Verifier<Identity> = (credential, context) =>
      credential.startsWith('good-')
        ? verifyGood(credential, context)
        : rejected(causes.find((cause) => cause === credential) ?? 'credential-unknown')
    const reasons: string[] = []
    const guard = createGuard({ ...allMethods(verify), refuseBy: 'status', clock })
    guard.subscribe((event) => event.type === 'refused' && reasons.push(event.reason))
    const { port } = await startServer(guard)
    const overHttp = new Set<string>()
    const overMessage = new Set<string>()
    await guard.revoke({ session: 's-revoked' })
    for (const cause of [...causes, 'good-revoked']) {
      const { text, status } = await rawRequest(port, rawHandshake('/ws', { Authorization: `Bearer ${cause}` }))
      expect(status).toBe(401)
      overHttp.add(text)
      const { client } = await rawOpen(port, '/ws')
      client.write(rawFrame(authFrame(cause)))
      const close = await client.closeFrame()
      expect(close?.code).toBe(4001)
      overMessage.add(JSON.stringify([client.texts(), close]))
      client.destroy()
    }
    expect(overHttp.size).toBe(1)
    expect(overMessage.size).toBe(1)
    // They do differ for those who run the server.
    expect(new Set(reasons)).toEqual(new Set(causes))
    const control = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
    expect(control.head.status).toBe(101)
  })

  describe('J06 tells nothing of the inside', () => {
    const inside =
      /\bat .+:\d+|node_modules|\.ts\b|\.js\b|\/(?:home|usr|src|packages)\/|sallyport|node\/|express|Error:|\bws\b(?!\/)/i
    const provoke: [number, RawHeaders, string?][] = [
      [400, { Host: 'a b' }],
      [400, { 'Sec-WebSocket-Key': 'short' }],
      [400, { Authorization: 'Basic eA==' }],
      [401, { Authorization: 'Bearer bad' }],
      [403, { Cookie: 'session=good-ada', Origin: 'https://evil.example' }],
      [404, {}, 'GET /nowhere HTTP/1.1'],
      [405, {}, 'POST /ws HTTP/1.1'],
      [426, { 'Sec-WebSocket-Version': '7' }],
      [500, { Authorization: 'Bearer Canary-Bug' }],
      [503, { Authorization: 'Bearer Canary-Down' }],
    ]

    it.each(provoke)('J06 with %i', async (status, headers, requestLine) => {
      const { port } = await startServer(createGuard({ ...allMethods(canaryVerifier), refuseBy: 'status', clock }))
      const response = await rawRequest(port, rawHandshake('/ws', headers, requestLine))
      expect(response.status).toBe(status)
      expect(response.text).not.toMatch(inside)
      for (const name of response.headers.keys()) {
        expect([
          'content-type',
          'cache-control',
          'content-length',
          'connection',
          'www-authenticate',
          'retry-after',
          'allow',
          'upgrade',
          'sec-websocket-version',
        ]).toContain(name)
      }
    })

    it.each(['Bad', 'Bug', 'Down'])('J06 with Close: %s', async (kind) => {
      const { port } = await startServer(createGuard({ ...allMethods(canaryVerifier), refuseBy: 'close', clock }))
      const { client } = await rawOpen(port, `/ws?token=Canary-${kind}`)
      expect((await client.closeFrame())?.reason).not.toMatch(inside)
      expect(client.texts()).toEqual([])
    })

    it('J06 when the handler fails', async () => {
      const { port } = await startServer(createGuard({ ...allMethods(), clock }), () => {
        throw new Error('at secret.ts:1')
      })
      const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
      expect(await client.closeFrame()).toEqual({ code: 1011, reason: 'Internal error' })
    })
  })

  describe('J07 hands no control character to a log', () => {
    const control = /\p{Cc}/u
    async function eventsOf(
      send: (guard: Guard, port: number) => Promise<unknown>,
      guard: Guard = createGuard({ ...allMethods(), clock }),
    ): Promise<GuardEvent[]> {
      const events: GuardEvent[] = []
      guard.subscribe((event) => events.push(event))
      const { port } = await startServer(guard)
      await send(guard, port)
      return events
    }

    it.each([
      ['CRLF', '/ws%0d%0aSet-Cookie:x'],
      ['ANSI', '/ws%1b[31m'],
      ['raw bytes', '/ws\u009b31m'],
      ['JSON', '/ws"},{"level":"info'],
      ['NUL', '/ws%00'],
    ])('J07 in the path: %s', async (_, target) => {
      const guard = createGuard({ ...allMethods(), clock })
      const events: GuardEvent[] = []
      guard.subscribe((event) => events.push(event))
      expect((await guard.decide(handshake({ target }))).type).toBe('refuse')
      expect(events).toEqual([
        { type: 'refused', id: expect.any(String), reason: 'handshake-target', path: '', address: '192.0.2.1' },
      ])
    })

    it.each([
      ['CRLF', 'https://app.example.com\r\nX: y'],
      ['ANSI', 'https://app.example.com\u001b[31m'],
      ['JSON', 'https://app.example.com","admin":"true'],
    ])('J07 in the Origin: %s', async (_, value) => {
      const headers: HeaderLine[] = [['origin', value]]
      const guard = createGuard({ ...allMethods(), clock })
      const events: GuardEvent[] = []
      guard.subscribe((event) => events.push(event))
      expect(await guard.decide(handshake({ target: '/ws?token=good-ada', headers }))).toMatchObject({
        reason: 'origin-not-allowed',
      })
      expect(JSON.stringify(events)).not.toContain('app.example.com')
    })

    it('J07 in an Origin that nobody compares', async () => {
      const guard = createGuard({ clock, accept: [query({ verify: verifyGood })] })
      const events = await eventsOf(async (_, port) => {
        const headers = { Origin: 'https://a","b":"\\u001b[31m\t\u0080' }
        expect((await rawOpen(port, '/ws?token=good-ada', headers)).head.status).toBe(101)
      }, guard)
      const [accepted] = events
      if (accepted?.type !== 'accepted') throw new Error('not accepted')
      expect(accepted.connection.origin ?? '').not.toMatch(control)
    })

    it('J07 in a user agent, a query or a reason of Close', async () => {
      const events = await eventsOf(async (guard, port) => {
        const headers = { Authorization: 'Bearer good-ada', 'User-Agent': 'x\u0085y' }
        const { client, head } = await rawOpen(port, '/ws?room=%0d%0a%1b[31m', headers)
        expect(head.status).toBe(101)
        const closed = new Promise((resolve) => guard.subscribe(({ type }) => type === 'closed' && resolve(type)))
        client.write(rawFrame(Buffer.from('\u0003\u00e8\r\n\u001b[31m', 'latin1'), { opcode: 8 }))
        client.socket.end()
        await closed
      })
      expect(events.map(({ type }) => type)).toEqual(['accepted', 'closed'])
      expect(JSON.stringify(events)).not.toMatch(control)
    })

    it('J07 and an identity breaks no frame', async () => {
      const id = '"}\r\n\u001b[31m{"type":"auth_ok"'
      const guard = createGuard({ ...allMethods(() => ({ identity: { id } })), clock })
      const { port } = await startServer(guard, () => {})
      const { client } = await rawOpen(port, '/ws')
      client.write(rawFrame(authFrame('x')))
      const texts = await client.textsUntil(1)
      expect(texts).toHaveLength(1)
      expect(texts[0]).not.toMatch(control)
      expect(JSON.parse(texts[0]!)).toMatchObject({ type: 'auth_ok', userId: id })
    })
  })

  describe('J12 lets go of the handshake, with all its credentials, once it has decided', () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void

    it.each<[string, RawHeaders, string?]>([
      ['header', { Authorization: 'Bearer good-ada' }],
      ['cookie', { Cookie: 'session=good-ada', Origin: origin }],
      ['message', { Cookie: 'session=stale', Origin: origin }, authFrame('good-ada')],
    ])('J12 J13 %s', async (_, headers, message) => {
      const kept: WeakRef<object>[] = []
      const guard = createGuard({
        ...allMethods((credential, context) => {
          kept.push(new WeakRef(context.handshake.headers))
          const verified = verifyGood(credential, context)
          return { ...verified, lookedUpAt: context.now }
        }),
        clock,
        // For which the credential is kept, and nothing else.
        life: { recheck: 60_000 },
      })
      const { port } = await startServer(guard)
      const { client } = await rawOpen(port, '/ws', headers)
      if (message) client.write(rawFrame(message))
      await client.until(() => client.texts().includes('hello ada'))
      await client.ping()
      for (let i = 0; i < 3; i++) {
        await nextTurn()
        collectGarbage()
      }
      expect(guard.connections.size).toBe(1)
      expect(kept.length).toBeGreaterThan(0)
      expect(kept.filter((reference) => reference.deref() !== undefined)).toEqual([])
    })
  })
})
