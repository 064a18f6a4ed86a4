import { once } from 'node:events'
import { createGuard, type Guard, type Identity, memoryStore, type Store } from '@sallyport/server'
import type { ConnectionHandler, GuardServerOptions } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { liveConnections } from '../../src/connections/of-guard.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { allMethods } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { held } from '../support/held.js'
import { RawClient, rawHandshake } from '../support/raw.js'
import { echo, startServer } from '../support/server.js'
import { fakeTransport } from '../support/transport.js'

/** A store that writes down whose places are taken, and how often each was given back. */
function placesStore() {
  const taken: string[] = []
  const released: string[] = []
  let onRelease = () => {}
  const memory = memoryStore()
  const gate = { until: () => Promise.resolve() }
  const store: Store = {
    ...memory,
    async acquire(group, member, places, ttl) {
      const answer = await memory.acquire(group, member, places, ttl)
      if (answer.acquired) taken.push(member)
      await gate.until()
      return answer
    },
    async release(group, member) {
      await memory.release(group, member)
      released.push(member)
      onRelease()
    },
  }
  /** Resolves when each place that was taken is given back. */
  const allReleased = async () => {
    while (released.length < taken.length) {
      const next = deferred()
      onRelease = next.resolve
      await next.promise
    }
  }
  return { store, taken, released, gate, allReleased }
}

interface Options {
  readonly server?: Partial<GuardServerOptions>
  readonly onConnection?: ConnectionHandler<Identity>
}

/** A guard that lets each identity have one connection, and answers credentials when it is told to. */
async function setUp({ server, onConnection = echo }: Options = {}) {
  const { verify, asked, release } = held()
  const places = placesStore()
  const guard: Guard<Identity> = createGuard({
    ...allMethods(verify),
    store: places.store,
    connectionsPerIdentity: { max: 1, whenFull: 'refuse' },
  })
  const route = await startServer(guard, onConnection, server)
  const dial = (headers = {}) => {
    const socket = new WebSocket(route.url, { headers, perMessageDeflate: false })
    socket.on('error', () => {})
    return socket
  }
  const byHeader = () => dial({ Authorization: 'Bearer good-ada' })
  /** A socket whose handshake is sent, to be torn away. */
  const raw = async () => {
    const { socket } = await RawClient.connect(route.port)
    socket.write(rawHandshake('/ws', { Authorization: 'Bearer good-ada' }))
    return socket
  }
  return { guard, ...route, ...places, asked, release, dial, byHeader, raw }
}
type SetUp = Awaited<ReturnType<typeof setUp>>

describe('F36 a place among the connections of an identity is given back once', () => {
  /** Lets everything happen that would happen. */
  const settle = async ({ idle }: SetUp) => {
    await idle()
    for (let turn = 0; turn < 20; turn++) await nextTurn()
  }

  const exits: [string, (set: SetUp) => Promise<unknown>, Options?][] = [
    [
      'the client is gone while its credential is verified',
      async ({ raw, asked, idle, release }) => {
        const socket = await raw()
        await asked
        socket.resetAndDestroy()
        await idle()
        release()
      },
    ],
    [
      'the client leaves while its credential is verified',
      async ({ raw, asked, release }) => {
        const socket = await raw()
        await asked
        socket.destroy()
        await once(socket, 'close')
        release()
      },
    ],
    [
      'the client is gone while its place is taken',
      async (set) => {
        const admitted = deferred()
        set.gate.until = () => admitted.promise
        set.release()
        const socket = await set.raw()
        await expect.poll(() => set.taken).toHaveLength(1)
        socket.resetAndDestroy()
        await set.idle()
        admitted.resolve()
      },
    ],
    [
      'the client leaves while its first message is verified',
      async ({ dial, asked, idle, release }) => {
        const socket = dial()
        await once(socket, 'open')
        socket.send(JSON.stringify({ type: 'auth', token: 'good-ada' }))
        await asked
        socket.terminate()
        await idle()
        release()
      },
    ],
    [
      'the client begins to close while its first message is verified',
      async ({ dial, asked, guard, release }) => {
        const socket = dial()
        await once(socket, 'open')
        socket.send(JSON.stringify({ type: 'auth', token: 'good-ada' }))
        await asked
        socket.close()
        await once(socket, 'close')
        release()
        expect(guard.connections.size).toBe(0)
      },
    ],
    [
      'the client leaves when it is accepted',
      async ({ byHeader, release }) => {
        release()
        const socket = byHeader()
        await once(socket, 'open')
        socket.close()
      },
    ],
    [
      'ws turns the handshake away',
      async ({ byHeader, release }) => {
        release()
        const [, response] = await once(byHeader(), 'unexpected-response')
        expect(response.statusCode).toBe(401)
        response.destroy()
      },
      { server: { webSocketServer: new WebSocketServer({ noServer: true, verifyClient: () => false }) } },
    ],
    [
      'ws never answers, and the client is gone',
      async ({ raw, release, taken }) => {
        release()
        const socket = await raw()
        await expect.poll(() => taken).toHaveLength(1)
        socket.resetAndDestroy()
      },
      // With two parameters it answers by the second.
      { server: { webSocketServer: new WebSocketServer({ noServer: true, verifyClient: (_, _later) => {} }) } },
    ],
    [
      'ws throws',
      async ({ raw, release }) => {
        release()
        await once((await raw()).resume(), 'end')
      },
      {
        server: {
          webSocketServer: Object.assign(new WebSocketServer({ noServer: true }), {
            handleUpgrade() {
              throw new Error('ws bug')
            },
          }),
        },
      },
    ],
    [
      'the handler throws',
      async ({ byHeader, release }) => {
        release()
        expect((await once(byHeader(), 'close'))[0]).toBe(1011)
      },
      {
        onConnection: () => {
          throw new Error('handler bug')
        },
      },
    ],
    [
      'its session is revoked while its place is taken',
      async ({ byHeader, release, gate, guard, taken }) => {
        const admitted = deferred()
        gate.until = () => admitted.promise
        release()
        const socket = byHeader()
        await expect.poll(() => taken).toHaveLength(1)
        await guard.revoke({ session: 's-ada' })
        admitted.resolve()
        expect((await once(socket, 'close'))[0]).toBe(4010)
      },
    ],
    [
      'the node goes down while its place is taken',
      async ({ byHeader, release, gate, guard, taken }) => {
        const admitted = deferred()
        gate.until = () => admitted.promise
        release()
        const socket = byHeader()
        await expect.poll(() => taken).toHaveLength(1)
        await guard.drain({ within: 0 })
        admitted.resolve()
        expect((await once(socket, 'close'))[0]).toBe(1012)
      },
    ],
  ]

  it.each(exits)('F36 when %s', async (_, exit, options) => {
    const set = await setUp(options)
    await exit(set)
    await expect.poll(() => set.taken).toHaveLength(1)
    await set.allReleased()
    await settle(set)
    expect(set.released).toEqual(set.taken)
    expect(set.guard.connections.size).toBe(0)
  })

  it('F36 and not before its connection is over', async () => {
    const set = await setUp()
    set.release()
    const socket = set.byHeader()
    await once(socket, 'open')
    // Another one has no place, and takes none away.
    const [, refused] = await once(set.byHeader(), 'unexpected-response')
    expect(refused.statusCode).toBe(409)
    refused.destroy()
    expect([set.taken.length, set.released.length]).toEqual([1, 0])
    socket.terminate()
    await set.allReleased()
    await settle(set)
    const next = set.byHeader()
    await once(next, 'open')
    next.terminate()
    await set.allReleased()
    expect(set.released).toEqual(set.taken)
  })

  it('F36 and is not given up with a verdict of which a connection has come', async () => {
    const { store, taken, released, allReleased } = placesStore()
    const guard = createGuard({ ...allMethods(), store, connectionsPerIdentity: { max: 1, whenFull: 'refuse' } })
    const presented = handshake({ headers: [['authorization', 'Bearer good-ada']] })
    const verdict = await guard.decide(presented)
    const transport = fakeTransport()
    if (verdict.type === 'accept') liveConnections(guard).open(verdict, presented, transport)
    liveConnections(guard).abandon(verdict)
    await nextTurn()
    expect([taken.length, released.length]).toEqual([1, 0])
    transport.drop()
    await allReleased()
    expect(released).toEqual(taken)
  })

  it('F36 when nobody knows whether the store has granted it', async () => {
    const set = await setUp()
    set.gate.until = () => Promise.reject(new TypeError('the reply could not be read'))
    set.release()
    const [, response] = await once(set.byHeader(), 'unexpected-response')
    expect(response.statusCode).toBe(500)
    response.destroy()
    await set.allReleased()
    expect(set.released).toEqual(set.taken)
  })
})
