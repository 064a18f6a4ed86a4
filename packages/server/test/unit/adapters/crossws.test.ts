import { once } from 'node:events'
import { createServer } from 'node:http'
import { inspect } from 'node:util'
import {
  ConfigurationError,
  createGuard,
  type Dialect,
  type GuardEvent,
  type Identity,
  type Verifier,
} from '@sallyport/server'
import {
  type CrosswsMessage,
  type CrosswsPeer,
  connectionOf,
  type GuardedHooks,
  type GuardedWebSocketOptions,
  guardedWebSocket,
} from '@sallyport/server/crossws'
import { guardServer } from '@sallyport/server/ws'
import { fromNodeUpgradeHandler } from 'crossws/adapters/node'
import { describe, expect, it } from 'vitest'
import { gateOf } from '../../../src/adapters/crossws/peer-gate.js'
import { Client } from '../../support/client.js'
import { testClock } from '../../support/clock.js'
import { bare, h3, h3v1, type Stack, startCrossws } from '../../support/crossws.js'
import { nextTurn } from '../../support/deferred.js'
import { allMethods, guardOfAll, verifyGood } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { held } from '../../support/held.js'
import { nextEvent } from '../../support/live.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../../support/raw.js'
import { echo } from '../../support/server.js'

type Hooks = GuardedHooks<CrosswsPeer & { publish(topic: string, data: unknown): void }, CrosswsMessage>
type Peer = Parameters<NonNullable<Hooks['open']>>[0] & { subscribe(topic: string): void }

const ada = { Authorization: 'Bearer good-ada' }
const eve = { Authorization: 'Bearer good-eve' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })
const stacks: [string, Stack][] = [
  ['0.4, of h3 2', h3],
  ['0.3, of h3 1', h3v1],
  ['0.4, by its own adapter', bare],
]

interface Options {
  readonly verify?: Verifier<Identity>
  readonly hooks?: Hooks
  readonly route?: GuardedWebSocketOptions<Identity, CrosswsMessage>
  readonly guard?: object
}

/** A route that echoes, and what its application gets to see. */
async function start(stack: Stack, { verify = verifyGood, hooks, route, guard: options }: Options = {}) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(verify), clock, ...options })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const seen: string[] = []
  const peers: Peer[] = []
  const theirs: Hooks = {
    open(peer) {
      peers.push(peer as Peer)
      seen.push(`open ${connectionOf(guard, peer).identity.id}`)
    },
    message(peer, message) {
      seen.push(message.text())
      peer.send(message.text())
    },
    close(peer, { code }) {
      seen.push(`close ${code} ${connectionOf(guard, peer).identity.id}`)
    },
    ...hooks,
  }
  const guarded = guardedWebSocket(guard, theirs, route)
  return { clock, guard, events, seen, peers, guarded, ...(await startCrossws(stack, guarded as never)) }
}

describe.each(stacks)('guardedWebSocket on crossws %s', (_, stack) => {
  const reachesNode = stack !== bare

  it('F01 ends a peer with its credential, and lets nothing cross behind it', async () => {
    const { port, clock, seen, peers } = await start(stack)
    const { client } = await rawOpen(port, '/ws', ada)
    client.write(rawFrame('before'))
    expect(await client.textsUntil(1)).toEqual(['before'])
    clock.advance(65_001)
    peers[0]?.send('too late')
    client.write(rawFrame('too late'))
    expect(await client.closeFrame()).toEqual({ code: 4019, reason: 'Credential expired' })
    client.write(rawFrame(Buffer.from([0x0f, 0xb3]), { opcode: 8 }))
    await client.gone()
    expect(client.texts()).toEqual(['before'])
    expect(seen.filter((line) => !line.startsWith('close'))).toEqual(['open ada', 'before'])
  })

  it('F03 F08 revokes a peer who ignores the Close, cuts it off a second later, and no other', async () => {
    const { port, url, clock, guard, seen } = await start(stack)
    const { client } = await rawOpen(port, '/ws', ada)
    const control = await Client.open(url, { headers: eve })
    expect(await guard.revoke({ user: 'ada' })).toMatchObject({ closed: 1 })
    expect(await client.closeFrame()).toEqual({ code: 4010, reason: 'Revoked' })
    client.write(rawFrame('still here'))
    control.send('control')
    expect(await control.text()).toBe('control')
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1_000)
    await client.gone()
    expect(seen.filter((line) => !line.startsWith('close'))).toEqual(['open ada', 'open eve', 'control'])
  })

  it('F05 renews by message and by route', async () => {
    const { port, clock, guard } = await start(stack)
    const { client } = await rawOpen(port, '/ws')
    const acknowledged = () => client.texts().filter((text) => text.includes('auth_ok'))
    for (const count of [1, 2]) {
      client.write(rawFrame(auth('good-ada')))
      await client.until(() => acknowledged().length === count)
      clock.advance(50_000)
    }
    expect(JSON.parse(acknowledged()[1]!)).toMatchObject({ expiresIn: 60 })
    expect(await guard.renew(handshake({ headers: [['authorization', 'Bearer good-ada']] }))).toEqual({ expiresIn: 60 })
    clock.advance(50_000)
    expect(guard.connections.size).toBe(1)
    client.write(rawFrame(auth('good-eve')))
    expect(await client.closeFrame()).toEqual({ code: 4003, reason: 'Forbidden' })
  })

  it('G16 drains', async () => {
    const { port, url, clock, guard } = await start(stack)
    const client = await Client.open(url, { headers: ada })
    const drained = guard.drain({ within: 0 })
    await nextTurn()
    clock.advance(0)
    expect(await client.closed).toMatchObject({ code: 1012 })
    await drained
    expect((await rawOpen(port, '/ws', ada)).head.status).toBe(503)
  })

  it('G07 ends who reads slowly', async () => {
    const { port, guard, peers, events } = await start(stack, { route: { maxBufferedBytes: 1_048_576 } })
    const { client } = await rawOpen(port, '/ws', ada)
    client.socket.pause()
    const closed = nextEvent(guard, 'closed')
    for (let sent = 0; sent < 512 && guard.connections.size > 0; sent += 1) {
      peers[0]?.send(Buffer.alloc(65_536))
      await nextTurn()
    }
    await closed
    expect(events).toMatchObject([{ type: 'accepted' }, { type: 'ended', code: 'limited' }, { type: 'closed' }])
  })

  it('A19 shows the subprotocol that was selected, and never a credential', async () => {
    const { port, peers } = await start(stack)
    const bearer = `sallyport.bearer.${Buffer.from('good-ada').toString('base64url')}`
    for (const offer of [`${bearer}, app.v2`, `${bearer}, app.v1`]) {
      const { head } = await rawOpen(port, '/ws', { 'Sec-WebSocket-Protocol': offer })
      expect(head.text).not.toContain(bearer)
    }
    expect(peers.map(({ websocket }) => Reflect.get(websocket, 'protocol'))).toEqual(['', 'app.v1'])
  })

  it('E20 keeps who is not accepted from those whom the application tells', async () => {
    const { port, clock, peers } = await start(stack, {
      hooks: {
        open(peer) {
          peers.push(peer as Peer)
          ;(peer as Peer).subscribe('news')
        },
      },
    })
    const { client: waiting } = await rawOpen(port, '/ws')
    const [{ client: early }, { client: late }] = [await rawOpen(port, '/ws', ada), await rawOpen(port, '/ws', eve)]
    const [first, second] = peers as [Peer, Peer]
    expect([...(first.peers as unknown as Iterable<Peer>)]).toEqual([first, second])
    const tell = () => {
      for (const peer of first.peers as unknown as Iterable<Peer>) peer.send('to all')
      first.publish('news', 'to subscribers')
    }
    tell()
    expect(await late.textsUntil(2)).toEqual(['to all', 'to subscribers'])
    await waiting.ping()
    expect(waiting.texts()).toEqual([])
    clock.advance(4_000)
    waiting.write(rawFrame(auth('good-bob')))
    await waiting.textsUntil(1)
    clock.advance(62_000)
    tell()
    expect(await late.closeFrame()).toMatchObject({ code: 4019 })
    expect(second.topics.size).toBe(0)
    expect(late.texts()).toHaveLength(2)
    expect(early.texts()).toHaveLength(1)
    // Who was accepted in between is told.
    await waiting.until(() => waiting.texts().includes('to all'))
    expect(waiting.texts().filter((text) => !text.startsWith('{'))).toEqual(['to all', 'to subscribers'])
  })

  it('counts what comes before the credential', async () => {
    const { port, events } = await start(stack)
    const { client } = await rawOpen(port, '/ws')
    client.write(rawFrame('x'.repeat(16_384)))
    await client.ping()
    expect(client.isClosed).toBe(false)
    // The end of it has not come.
    client.write(rawFrame('x'.repeat(65_536)).subarray(0, 8_192))
    expect(await client.closeFrame()).toEqual({ code: 1009, reason: 'Credential too large' })
    expect(events).toMatchObject([{ type: 'refused', reason: 'credential-too-large' }])
  })

  it('asks authorize, counts messages, and asks admit', async () => {
    const route = {
      admit: ({ id }: Identity) => id !== 'eve',
      authorize: (_: unknown, message: CrosswsMessage) => message.text() !== 'no',
      messagesPerSecond: 3,
    }
    const { port, url, seen } = await start(stack, { route })
    expect((await rawOpen(port, '/ws', eve)).head.status).toBe(403)
    const client = await Client.open(url, { headers: ada })
    for (const text of ['no', 'yes', 'yes, too', 'one too many']) client.send(text)
    expect((await client.closed).code).toBe(4029)
    expect(seen.slice(0, 3)).toEqual(['open ada', 'yes', 'yes, too'])
  })

  it('lets the upgrade hook of the application refuse, answer headers, and fail', async () => {
    const { port, guard, events } = await start(stack, {
      hooks: {
        upgrade({ url }) {
          if (url.endsWith('answered')) return new Response('no', { status: 418 })
          if (url.endsWith('thrown')) throw new Response('no', { status: 418 })
          if (url.endsWith('failing')) throw new Error('hook bug')
          return { headers: { 'X-Theirs': 'yes', 'Sec-WebSocket-Protocol': 'theirs' } }
        },
      },
    })
    const status = async (query: string) => (await rawOpen(port, `/ws?${query}`, ada)).head.status
    expect([await status('answered'), await status('thrown'), await status('failing')]).toEqual([418, 418, 500])
    expect(events).toMatchObject([{ type: 'refused', reason: 'internal-error', error: new Error('hook bug') }])
    expect(guard.pending).toBe(0)
    const { head } = await rawOpen(port, '/ws', { ...ada, 'Sec-WebSocket-Protocol': 'app.v1' })
    expect([head.status, head.headers.get('x-theirs'), head.headers.get('sec-websocket-protocol')]).toEqual([
      101,
      'yes',
      'app.v1',
    ])
  })

  it.each<[string, Hooks, (client: RawClient) => void]>([
    [
      'message that throws',
      {
        message() {
          throw new Error('hook bug')
        },
      },
      (client) => client.write(rawFrame('x')),
    ],
    [
      'message that rejects',
      { message: () => Promise.reject(new Error('hook bug')) },
      (client) => client.write(rawFrame('x')),
    ],
    [
      'close that throws',
      {
        close() {
          throw new Error('hook bug')
        },
      },
      (client) => client.socket.resetAndDestroy(),
    ],
  ])('tells of a hook that fails: %s', async (_, hooks, provoke) => {
    const { port, guard, events } = await start(stack, { hooks })
    const { client } = await rawOpen(port, '/ws', ada)
    const closed = nextEvent(guard, 'closed')
    provoke(client)
    await client.closeFrame()
    client.destroy()
    await closed
    expect(events).toMatchObject([
      { type: 'accepted' },
      { type: 'ended', code: 'internal', error: new Error('hook bug') },
      { type: 'closed' },
    ])
    expect((await rawOpen(port, '/ws', ada)).head.status).toBe(101)
  })

  it('G62 gives back what it has taken for a peer that never comes', async () => {
    const { verify, asked, release } = held()
    const { server, port, guard, clock, events } = await start(stack, {
      verify,
      guard: { connectionsPerIdentity: { max: 1, whenFull: 'refuse' } },
    })
    const upgraded = once(server, 'upgrade')
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', ada))
    await asked
    expect(guard.pending).toBe(1)
    if (reachesNode) {
      // Without one, the reset would end the process.
      const [, socket] = await upgraded
      expect(socket.listenerCount('error')).toBe(1)
      client.socket.resetAndDestroy()
      while (guard.pending > 0) await nextTurn()
      release()
    } else {
      client.socket.end()
      release()
      await client.gone()
      client.destroy()
    }
    await nextTurn()
    clock.advance(10_000)
    expect(guard.pending).toBe(0)
    // Its place among the connections of its identity, too.
    const second = await rawOpen(port, '/ws', ada)
    expect(second.head.status).toBe(101)
    expect(events.filter(({ type }) => type === 'ended')).toEqual([])
  })

  it('F01 looks at the time at every message, in either direction: a timer may be late', async () => {
    for (const late of ['sent', 'received'] as const) {
      let now = Date.UTC(2026, 0, 1)
      const clock = { now: () => now, after: () => () => {} }
      const { port, peers, seen } = await start(stack, { guard: { clock } })
      const { client } = await rawOpen(port, '/ws', ada)
      client.write(rawFrame('in time'))
      expect(await client.textsUntil(1)).toEqual(['in time'])
      now += 65_001
      if (late === 'sent') peers[0]?.send('too late')
      else client.write(rawFrame('too late'))
      expect(await client.closeFrame()).toMatchObject({ code: 4019 })
      expect(client.texts()).toEqual(['in time'])
      expect(seen).toEqual(['open ada', 'in time'])
    }
  })

  it('gives the application what a dialect leaves of the first message', async () => {
    const dialect: Dialect = {
      closeCodes: {},
      converse: () => ({
        hear: (message) => ({ credential: String(message), rest: ['the rest', Buffer.from('in bytes')] }),
        say: (news) => news.type,
      }),
    }
    const { port, seen } = await start(stack, { route: { dialect } })
    const { client } = await rawOpen(port, '/ws')
    client.write(Buffer.concat([rawFrame('good-ada'), rawFrame('behind')]))
    expect(await client.textsUntil(4)).toEqual(['accepted', 'the rest', 'in bytes', 'behind'])
    expect(seen).toEqual(['open ada', 'the rest', 'in bytes', 'behind'])
  })

  it('stands beside guardServer on one server', async () => {
    const { server, port, url } = await start(stack)
    guardServer(server, guardOfAll(), { path: '/mine' }, echo)
    const mine = await Client.open(`ws://127.0.0.1:${port}/mine`, { headers: ada })
    expect(await mine.text()).toBe('hello ada')
    const theirs = await Client.open(url, { headers: eve })
    theirs.send('hello')
    expect(await theirs.text()).toBe('hello')
    expect((await rawOpen(port, '/mine', { Authorization: 'Bearer bad' })).head.status).toBe(401)
  })

  it('takes nothing of what an asynchronous open answers', async () => {
    const { port, seen } = await start(stack, { hooks: { open: async (peer) => peer.send('hello') ?? 5 } })
    const { client } = await rawOpen(port, '/ws', ada)
    client.write(rawFrame('first'))
    expect(await client.textsUntil(2)).toEqual(['hello', 'first'])
    expect(seen).toEqual(['first'])
  })

  it('is not mistaken for the guard of another route', async () => {
    const { port, guard, peers } = await start(stack)
    await rawOpen(port, '/ws', ada)
    await rawOpen(port, '/ws')
    expect(connectionOf(guard, peers[0]!).identity.id).toBe('ada')
    expect(() => connectionOf(guardOfAll(), peers[0]!)).toThrow(TypeError)
    expect(() => connectionOf(guard, { context: {} })).toThrow(TypeError)
  })

  it('J01 keeps no credential in the context of a peer', async () => {
    const { port, peers } = await start(stack)
    await rawOpen(port, '/ws?token=good-ada')
    expect(inspect(peers[0]!.context, { depth: 9, showHidden: true })).not.toContain('good-ada')
  })
})

describe('guardedWebSocket', () => {
  class PlainMessage implements CrosswsMessage {
    constructor(readonly rawData: string) {}
    text() {
      return this.rawData
    }
    uint8Array() {
      return Buffer.from(this.rawData)
    }
  }

  /** A peer of a runtime that can do next to nothing. */
  class PlainPeer {
    readonly calls: string[] = []
    readonly peers = new Set<unknown>([this])
    readonly topics = new Set<string>()
    readonly namespace = '/ws'
    constructor(
      readonly context: Record<string, unknown>,
      readonly websocket: { terminate?(): void } = {},
    ) {}
    send(data: unknown) {
      this.calls.push(`send ${data}`)
    }
    unsubscribe() {}
    close(code?: number, reason?: string) {
      this.calls.push(`close ${code} ${reason}`)
    }
    terminate() {
      this.calls.push('terminate')
    }
  }

  function plain(options?: GuardedWebSocketOptions<Identity, CrosswsMessage>, more: object = {}) {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock, ...more })
    const seen: string[] = []
    const hooks = guardedWebSocket<Identity, PlainPeer, CrosswsMessage>(
      guard,
      {
        open: () => void seen.push('open'),
        message: (_, message) => void seen.push(message.text()),
        close: () => void seen.push('close'),
      },
      options,
    )
    const request = (headers: Record<string, string>) =>
      new Request('http://127.0.0.1/ws', {
        headers: {
          Host: '127.0.0.1',
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
          ...headers,
        },
      })
    const upgrade = (headers: Record<string, string>) => hooks.upgrade(request(headers))
    /** A peer that the runtime has made of a handshake. */
    async function peerOf(headers: Record<string, string>) {
      const answer = await upgrade(headers)
      if (answer instanceof Response) throw new Error(`refused with ${answer.status}`)
      return new PlainPeer(answer.context ?? {})
    }
    const say = (peer: PlainPeer, text: string) => hooks.message(peer, new PlainMessage(text))
    return { clock, guard, seen, hooks, request, upgrade, peerOf, say }
  }

  it('refuses by a whole response where there is no socket', async () => {
    const { upgrade } = plain()
    const refused = await upgrade({ Authorization: 'Bearer bad' })
    if (!(refused instanceof Response)) throw new Error('not refused')
    const body = await refused.text()
    expect([refused.status, JSON.parse(body)]).toEqual([401, { error: 'unauthenticated', message: expect.any(String) }])
    expect(refused.headers.get('content-length')).toBe(`${Buffer.byteLength(body)}`)
    expect(refused.headers.get('connection')).toBe('close')
    const old = (await upgrade({ ...ada, 'Sec-WebSocket-Version': '8' })) as Response
    expect([old.status, old.headers.get('connection')]).toEqual([426, 'close, Upgrade'])
    expect(await upgrade(ada)).not.toBeInstanceOf(Response)
  })

  it('knows the address where srvx tells it', async () => {
    const { guard, hooks, request } = plain()
    const at = (ip: string) => hooks.upgrade(Object.assign(request(ada), { ip }))
    const { context = {} } = (await at('192.0.2.7')) as { context?: Record<string, unknown> }
    const peer = new PlainPeer(context)
    hooks.open(peer)
    expect(connectionOf(guard, peer).address).toBe('192.0.2.7')
  })

  it('works where a runtime can neither stop to read nor end a socket', async () => {
    const { clock, guard, seen, hooks, peerOf, say } = plain()
    const peer = await peerOf({})
    hooks.open(peer)
    peer.send('too early')
    say(peer, 'dropped')
    say(peer, auth('good-ada'))
    say(peer, 'behind')
    await nextTurn()
    expect(seen).toEqual(['open', 'behind'])
    expect(peer.calls).toEqual([expect.stringContaining('auth_ok')])
    await guard.revoke({ user: 'ada' })
    peer.send('too late')
    say(peer, 'too late')
    expect(peer.calls.slice(1)).toEqual(['close 4010 Revoked'])
    clock.advance(1_000)
    hooks.close(peer, { code: 1006 })
    expect(seen).toEqual(['open', 'behind', 'close'])
    expect(guard.connections.size).toBe(0)
  })

  it('G61 bounds what comes before the decision by messages where no byte can be seen', async () => {
    const { seen, hooks, peerOf, say } = plain()
    const peer = await peerOf({})
    hooks.open(peer)
    say(peer, 'x'.repeat(16_384))
    expect(peer.calls).toEqual([])
    say(peer, 'x'.repeat(16_384))
    expect(peer.calls).toEqual(['close 1009 Credential too large'])
    say(peer, auth('good-ada'))
    await nextTurn()
    expect(seen).toEqual([])
  })

  it('G21 ends who goes on to send behind its Close, where the runtime can', async () => {
    const { clock, guard, hooks, upgrade, say } = plain()
    const { context = {} } = (await upgrade(ada)) as { context?: Record<string, unknown> }
    const peer = new PlainPeer(context, { terminate() {} })
    hooks.open(peer)
    await guard.revoke({ user: 'ada' })
    say(peer, 'x'.repeat(65_536))
    expect(peer.calls).toEqual(['close 4010 Revoked'])
    say(peer, 'x')
    expect(peer.calls.slice(1)).toEqual(['terminate'])
    clock.advance(1_000)
    expect(peer.calls.slice(2)).toEqual(['terminate'])
  })

  it('takes a message that overtakes the opening', async () => {
    const { seen, hooks, peerOf, say } = plain()
    const peer = await peerOf(ada)
    say(peer, 'first')
    hooks.open(peer)
    say(peer, 'second')
    expect(seen).toEqual(['open', 'first', 'second'])
  })

  it('hears nobody behind its Close, whoever listens', () => {
    const heard: string[] = []
    const gate = gateOf<PlainMessage>({
      peer: new PlainPeer({}),
      dialect: { closeCodes: {} },
      protocol: undefined,
      deliver() {},
    })
    gate.onMessage({ receive: ({ rawData }) => heard.push(rawData) })
    gate.take(new PlainMessage('in time'))
    gate.shut()
    gate.take(new PlainMessage('too late'))
    gate.onMessage({ receive: ({ rawData }) => heard.push(rawData) })
    gate.take(new PlainMessage('too late'))
    expect(heard).toEqual(['in time'])
  })

  it('turns away a peer whose handshake got lost on the way', () => {
    const { seen, hooks, say } = plain()
    const peer = new PlainPeer({})
    hooks.open(peer)
    say(peer, 'let me in')
    hooks.close(peer, {})
    expect(peer.calls).toEqual(['close 1011 Internal error'])
    expect(peer.peers.size).toBe(0)
    expect(seen).toEqual([])
  })

  it('G62 gives back the place among the connections of its identity when no peer comes', async () => {
    const { clock, upgrade } = plain({}, { connectionsPerIdentity: { max: 1, whenFull: 'refuse' } })
    expect(await upgrade(ada)).not.toBeInstanceOf(Response)
    clock.advance(9_999)
    expect(await upgrade(ada)).toMatchObject({ status: 409 })
    clock.advance(1)
    await nextTurn()
    expect(await upgrade(ada)).not.toBeInstanceOf(Response)
  })

  it('turns away a peer that comes after all', async () => {
    const { clock, seen, hooks, peerOf } = plain()
    const [late, inTime] = [await peerOf(ada), await peerOf(ada)]
    clock.advance(9_999)
    hooks.open(inTime)
    clock.advance(1)
    hooks.open(late)
    expect(late.calls).toEqual(['close 1011 Internal error'])
    expect(seen).toEqual(['open'])
  })

  it.each<[string, GuardedWebSocketOptions<Identity, CrosswsMessage>]>([
    ['maxBufferedBytes', { maxBufferedBytes: Number.NaN }],
    ['messagesPerSecond', { messagesPerSecond: 0 }],
    ['dialect', { dialect: { closeCodes: { expired: 1 } } }],
  ])('refuses a %s that cannot work', (option, options) => {
    expect(() => guardedWebSocket(guardOfAll(), {}, options)).toThrow(ConfigurationError)
    expect(() => guardedWebSocket(guardOfAll(), {}, options)).toThrow(`guardedWebSocket: ${option}`)
  })
})

describe('fromNodeUpgradeHandler of crossws 0.4', () => {
  it('hands the socket to guardServer', async () => {
    const guard = guardOfAll()
    const upgrades = createServer()
    guardServer(upgrades, guard, { path: '/ws' }, echo)
    const hooks = fromNodeUpgradeHandler(
      (request, socket, head) => void upgrades.emit('upgrade', request, socket, head),
    )
    const { port, url } = await startCrossws(h3, hooks as never)
    const client = await Client.open(url, { headers: ada })
    expect(await client.text()).toBe('hello ada')
    expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
  })
})
