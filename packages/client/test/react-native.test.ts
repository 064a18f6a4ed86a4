import { once } from 'node:events'
import type { GuardedSocket, GuardedSocketEventMap, GuardedSocketOptions, TokenSource } from '@sallyport/client'
import {
  createGuard,
  firstMessage,
  type Guard,
  type GuardEvent,
  header,
  type Identity,
  query,
  subprotocol,
  ticket,
  type Verifier,
} from '@sallyport/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { testClock } from '../../server/test/support/clock.js'
import { allMethods, verifyGood } from '../../server/test/support/guard.js'
import { echo, startServer } from '../../server/test/support/server.js'
import { type Application, type ApplicationOptions, startApplication } from './react-native/application.js'

type Client = Application['client']

const ways = {
  header: (client: Client, token: TokenSource) => client.header(token),
  ticket: (client: Client, token: TokenSource) => client.ticket('/ws/ticket', { token }),
  query: (client: Client, token: TokenSource) => client.token(token),
  'first message': (client: Client, token: TokenSource) => client.firstMessage(token),
  subprotocol: (client: Client, token: TokenSource) => client.subprotocol(token),
}
type Way = keyof typeof ways
const wayNames = Object.keys(ways) as Way[]

/** A guard for applications alone: no page may bring a cookie, so that no page has to be named. */
const guardOfApplications = (verify: Verifier<Identity> = verifyGood, clock = testClock()) =>
  createGuard({
    clock,
    protocols: ['app.v1'],
    accept: [ticket(), query({ verify }), header({ verify }), subprotocol({ verify }), firstMessage({ verify })],
  })

interface Meeting extends Partial<Omit<GuardedSocketOptions, 'credential' | 'renew' | 'lifecycle'>> {
  readonly way?: Way
  readonly token?: TokenSource
  readonly guard?: Guard<Identity>
  readonly device?: Partial<ApplicationOptions>
  /** The pieces that need the client or the application. */
  readonly parts?: (application: Application) => Partial<GuardedSocketOptions>
}

describe.each(['android', 'ios'] as const)('React Native on %s', (platform) => {
  /** An application on a device meets a guarded server. */
  async function meet(meeting: Meeting = {}) {
    const {
      way = 'header',
      token = () => 'good-ada',
      guard = guardOfApplications(),
      device,
      parts,
      ...options
    } = meeting
    const application = await startApplication({ platform, ...device })
    const { client } = application
    const decide = vi.spyOn(guard, 'decide')
    const peers: WebSocket[] = []
    const server = await startServer(guard, (peer, connection) => {
      peers.push(peer)
      echo(peer, connection)
    })
    const socket = new client.GuardedSocket(server.url, {
      credential: ways[way](client, token),
      protocols: way === 'subprotocol' ? 'app.v1' : [],
      reconnect: { baseMs: 1, capMs: 1 },
      random: () => 0,
      ...options,
      ...parts?.(application),
    })
    onTestFinished(() => socket.close())
    const messages = client.messages(socket)
    return {
      ...application,
      server,
      guard,
      socket,
      /** The headers of each handshake that the guard has seen, by their names in lower case. */
      get handshakes(): Record<string, string>[] {
        // It decides on a first message as well.
        const asked = decide.mock.calls.filter(([{ message }]) => message === undefined)
        return asked.map(([{ headers }]) => Object.fromEntries(headers))
      },
      peers,
      /** The next message. */
      hear: async () => (await messages.next()).value?.data,
      /** Waits for an event of the guard. */
      happened: (type: GuardEvent['type']) =>
        new Promise<void>((resolve) => guard.subscribe((event) => event.type === type && resolve())),
    }
  }

  /** The next event of a type. */
  const next = <K extends keyof GuardedSocketEventMap>(socket: GuardedSocket, type: K) =>
    new Promise<GuardedSocketEventMap[K]>((resolve) => socket.addEventListener(type, resolve, { once: true }))

  it('has nothing of a browser that it does not bring itself', async () => {
    const { scope } = await startApplication({ platform, hasExpo: false })
    const absent = ['CloseEvent', 'MessageEvent', 'DOMException', 'crypto', 'document', 'location', 'structuredClone']
    expect(absent.filter((name) => name in scope)).toEqual([])
    const present = ['WebSocket', 'fetch', 'URL', 'AbortController', 'Event', 'EventTarget']
    const own = present.filter((name) => name in scope && scope[name] !== globalThis[name as 'URL'])
    expect(own).toEqual(present)
  })

  it.each(wayNames)('gets in by %s, talks in text and in bytes, and leaves', async (way) => {
    const met = await meet({ way })
    const { socket, server, hear, peers } = met
    expect(await hear()).toBe('hello ada')
    socket.send('anybody there?')
    expect(await hear()).toBe('anybody there?')
    socket.binaryType = 'arraybuffer'
    socket.send(new Uint8Array([1, 2, 3]))
    expect([...new Uint8Array(await hear())]).toEqual([1, 2, 3])
    expect(socket.protocol).toBe(way === 'subprotocol' ? 'app.v1' : '')
    const authorization = way === 'header' ? 'Bearer good-ada' : undefined
    expect(met.handshakes).toMatchObject([{ origin: `http://127.0.0.1:${server.port}` }])
    expect(met.handshakes[0]?.authorization).toBe(authorization)
    const [left, closed] = [once(peers[0] as WebSocket, 'close'), next(socket, 'close')]
    socket.close()
    // It has no Close without a code.
    expect((await left)[0]).toBe(1000)
    expect(await closed).toMatchObject({ code: 1000 })
  })

  it('closes with a code and a reason', async () => {
    const { socket, hear, peers } = await meet()
    await hear()
    const [left, closed] = [once(peers[0] as WebSocket, 'close'), next(socket, 'close')]
    socket.close(4000, 'bye')
    expect((await left).map(String)).toEqual(['4000', 'bye'])
    // It never says `wasClean`.
    expect(await closed).toMatchObject({ code: 4000, reason: 'bye', wasClean: false })
  })

  it.each(wayNames)('K21 is refused with a bad token by %s: it asks twice and stops', async (way) => {
    const met = await meet({ way, token: () => 'bad' })
    expect((await next(met.socket, 'terminal')).outcome.kind).toBe('unauthenticated')
    expect(met.handshakes).toHaveLength(way === 'ticket' ? 0 : 2)
  })

  it.each(wayNames.filter((way) => way !== 'ticket'))(
    'K20 takes a refusal by status, which it cannot read, for no answer, by %s',
    async (way) => {
      const guard = createGuard({ ...allMethods(), refuseBy: 'status', origins: () => true })
      const met = await meet({ way, guard, token: () => 'bad' })
      const { outcome } = await next(met.socket, 'reconnecting')
      // A first message is refused by Close, for the handshake has been answered.
      if (way === 'first message') expect(outcome).toMatchObject({ kind: 'unauthenticated', code: 4001 })
      else expect(outcome).toMatchObject({ kind: 'network', ambiguous: true })
    },
  )

  it('needs a `URL` of the standard for an endpoint that is relative', async () => {
    const dial = async (hasExpo: boolean, endpoint: string) => {
      const { client } = await startApplication({ platform, hasExpo })
      const asked: string[] = []
      const fetch: typeof globalThis.fetch = async (url) => {
        asked.push(`${url}`)
        return new Response(null, { status: 403 })
      }
      const credential = client.ticket(endpoint)
      await next(new client.GuardedSocket('wss://api.example.com/ws', { credential, fetch }), 'terminal')
      return asked[0]
    }
    const endpoint = 'https://api.example.com/ws/ticket'
    expect(await dial(true, '/ws/ticket')).toBe(endpoint)
    expect(await dial(false, '/ws/ticket')).toBe('https://api.example.com/ws/ws/ticket')
    expect(await dial(false, endpoint)).toBe(endpoint)
  })

  it('renews over HTTP, on the same connection', async () => {
    const met = await meet({
      parts: ({ client }) => ({ renew: client.renewal('/ws/renew', { token: () => 'good-ada' }) }),
    })
    const renewed = met.happened('renewed')
    await met.hear()
    await renewed
    expect([met.guard.connections.size, met.handshakes.length]).toEqual([1, 1])
  })

  it('renews by another first message, on the same connection', async () => {
    const clock = testClock()
    const met = await meet({
      way: 'first message',
      guard: guardOfApplications(verifyGood, clock),
      parts: ({ client }) => ({ renew: client.renewal(() => 'good-ada') }),
    })
    await met.hear()
    const renewed = met.happened('renewed')
    clock.advance(59_000)
    await renewed
    expect(met.handshakes).toHaveLength(1)
  })

  it('F01 comes back with a new credential when its own has ended', async () => {
    const clock = testClock()
    const reasons: string[] = []
    const token: TokenSource = ({ reason }) => {
      reasons.push(reason)
      return 'good-ada'
    }
    const { socket, hear } = await meet({ token, guard: guardOfApplications(verifyGood, clock) })
    await hear()
    const closed = next(socket, 'close')
    clock.advance(70_000)
    expect(await closed).toMatchObject({ code: 4019 })
    expect(await hear()).toBe('hello ada')
    expect(reasons).toEqual(['first', 'expired'])
  })

  it('F03 stops when its user is logged out', async () => {
    const { socket, guard, hear } = await meet()
    await hear()
    const terminal = next(socket, 'terminal')
    await guard.revoke({ user: 'ada' })
    expect((await terminal).outcome).toMatchObject({ kind: 'revoked', code: 4010 })
  })

  it('is told of a restart, and of a code of the application', async () => {
    const { socket, guard, hear, peers } = await meet()
    await hear()
    const own = next(socket, 'close')
    peers[0]?.close(4100, 'done')
    expect(await own).toMatchObject({ code: 4100, reason: 'done' })
    expect(socket.failure?.outcome.kind).toBe('closed')
    expect(await hear()).toBe('hello ada')
    const drained = next(socket, 'close')
    void guard.drain()
    expect(await drained).toMatchObject({ code: 1012 })
    expect(socket.failure?.outcome.kind).toBe('unavailable')
  })

  it('comes back with another ticket when the connection breaks', async () => {
    const { socket, hear, peers, guard } = await meet({ way: 'ticket' })
    await hear()
    const lost = next(socket, 'reconnecting')
    peers[0]?.terminate()
    // SocketRocket says that the server went away.
    const told = platform === 'ios' ? { kind: 'unavailable', code: 1001 } : { kind: 'network', code: 1006 }
    expect((await lost).outcome).toMatchObject(told)
    expect(await hear()).toBe('hello ada')
    expect(guard.connections.size).toBe(1)
  })

  it('K14 leaves no connection behind that opens after the application gave it up', async () => {
    let asked = () => {}
    let answer = () => {}
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const guard = guardOfApplications(async (...presented) => {
      asked()
      await isAnswered
      return verifyGood(...presented)
    })
    const { socket, server } = await meet({ guard })
    await isAsked
    socket.close()
    answer()
    await server.idle()
    expect(guard.connections.size).toBe(0)
  })

  it('K14 is who its credential says, and not who the shared cookie jar says', async () => {
    const device = { cookie: 'session=good-eve' }
    const met = await meet({ guard: createGuard(allMethods()), device })
    expect(await met.hear()).toBe('hello ada')
    expect(met.handshakes).toMatchObject([device])
  })

  it('D15 needs no entry in `origins` by header, and by another way that of the API itself', async () => {
    const byHeader = await meet({ guard: createGuard(allMethods()) })
    expect(await byHeader.hear()).toBe('hello ada')
    const byTicket = await meet({ guard: createGuard(allMethods()), way: 'ticket' })
    expect((await next(byTicket.socket, 'reconnecting')).outcome).toMatchObject({ kind: 'network', ambiguous: true })
    const own: string[] = []
    const guard = createGuard({ ...allMethods(), origins: (origin) => own.includes(origin) })
    const named = await meet({ guard, way: 'ticket' })
    own.push(`http://127.0.0.1:${named.server.port}`)
    expect(await named.hear()).toBe('hello ada')
  })

  it.each(wayNames)('D15 gets in by %s without an `Origin`, as on Windows', async (way) => {
    const met = await meet({ way, device: { hasOrigin: false } })
    expect(await met.hear()).toBe('hello ada')
    expect(met.handshakes[0]?.origin).toBeUndefined()
  })

  it('has a class for libraries', async () => {
    const { client } = await startApplication({ platform })
    const { url } = await startServer(guardOfApplications())
    const Class = client.webSocketClass({ credential: client.header(() => 'good-ada'), reconnect: false })
    const socket = new Class(url)
    const heard = await new Promise<unknown>((resolve) => {
      socket.onmessage = ({ data }) => resolve(data)
    })
    expect(heard).toBe('hello ada')
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.onclose = resolve
    })
    socket.close(3000, 'done')
    expect(await closed).toMatchObject({ code: 3000, reason: 'done' })
  })

  describe('with its own AppState and NetInfo', () => {
    const lifecycle = ({ client, AppState, NetInfo }: Application) => ({
      lifecycle: client.lifecycle({ presence: client.appPresence(AppState, NetInfo), hiddenMs: 0 }),
    })

    it('K14 does not dial from the background, and comes at once when it is in front', async () => {
      const met = await meet({ parts: lifecycle })
      const { socket, hear, peers, device } = met
      await hear()
      device.setState('background')
      const lost = next(socket, 'reconnecting')
      peers[0]?.terminate()
      await lost
      // Time for the attempt that it must not make.
      await fetch(socket.url.replace('ws', 'http'))
      expect(met.handshakes).toHaveLength(1)
      device.setState('active')
      expect(await hear()).toBe('hello ada')
    })

    it('stays connected under a dialog', async () => {
      const { client, AppState, device } = await startApplication({ platform })
      const presence = client.appPresence(AppState)
      device.setState('inactive')
      expect(presence.visible).toBe(true)
      device.setState('background')
      expect(presence.visible).toBe(false)
    })

    it('K68 gives up the connection of the network before, and dials on the new one', async () => {
      const met = await meet({ parts: lifecycle })
      const { hear, device, peers } = met
      await hear()
      const left = once(peers[0] as WebSocket, 'close')
      device.setNetwork(false)
      device.setNetwork(true)
      await left
      expect(await hear()).toBe('hello ada')
      expect(met.handshakes).toHaveLength(2)
    })
  })
})
