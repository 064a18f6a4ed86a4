import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, type Identity, type Verifier } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { testClock } from '../support/clock.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { allMethods, origin, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { RawClient, rawFrame, rawHandshake } from '../support/raw.js'
import { echo } from '../support/server.js'

const cycles = 300
const authorized = rawHandshake('/ws', { Authorization: 'Bearer good-ada' })
const authFrame = rawFrame(JSON.stringify({ type: 'auth', token: 'good-ada' }))

/** Every other client resets the connection, the others end it. */
const abort = (client: RawClient, i: number) => (i % 2 === 0 ? client.socket.resetAndDestroy() : client.destroy())

async function start(verify: Verifier<Identity> = verifyGood) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(verify), limits: { pendingPerAddress: cycles }, clock })
  const webSocketServer = new WebSocketServer({ noServer: true })
  const server = createServer((_, response) => response.writeHead(404).end())
  const detach = guardServer(server, guard, { path: '/ws', webSocketServer }, echo)
  let open = 0
  let left = deferred()
  server.on('connection', (socket) => {
    open++
    socket.once('close', () => {
      open--
      left.resolve()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })

  /** Waits until the server has closed its side of every connection. */
  async function idle(): Promise<void> {
    while (open > 0) {
      left = deferred()
      await left.promise
    }
  }

  /** Fails unless everything is as it was before the first client came. */
  async function expectNothingLeft(): Promise<void> {
    await idle()
    expect(guard.connections.size).toBe(0)
    expect([...guard.connections]).toEqual([])
    expect(webSocketServer.clients.size).toBe(0)
    expect(clock.pending).toBe(0)
    // Every place between the doors is free again.
    const places = Array.from({ length: cycles }, () => guard.enter(handshake({ address: '127.0.0.1' })))
    expect(places.filter((place) => 'reason' in place)).toEqual([])
    expect(guard.enter(handshake({ address: '127.0.0.1' }))).toMatchObject({ reason: 'pending' })
    detach()
    expect(server.listenerCount('upgrade')).toBe(0)
    expect(webSocketServer.eventNames()).toEqual([])
  }

  const { port } = server.address() as AddressInfo
  /** Runs a client through its life again and again, a few at a time. */
  async function repeat(life: (client: RawClient, i: number) => Promise<void>): Promise<void> {
    let next = 0
    const worker = async () => {
      for (let i = next++; i < cycles; i = next++) await life(await RawClient.connect(port), i)
    }
    await Promise.all(Array.from({ length: 16 }, worker))
  }

  return { clock, guard, webSocketServer, repeat, expectNothingLeft }
}

describe(`after ${cycles} clients that went away nothing is left`, () => {
  it('of those who went before their handshake was complete', async () => {
    const { repeat, expectNothingLeft } = await start()
    await repeat(async (client, i) => {
      client.write(authorized.slice(0, 1 + (i % (authorized.length - 1))))
      abort(client, i)
    })
    await expectNothingLeft()
  })

  it('of those who went while they were verified', async () => {
    const asked: (() => void)[] = []
    const { repeat, expectNothingLeft } = await start(async (credential, context) => {
      asked.shift()?.()
      await nextTurn()
      return verifyGood(credential, context)
    })
    await repeat(async (client, i) => {
      const called = deferred()
      asked.push(called.resolve)
      client.write(authorized)
      await called.promise
      abort(client, i)
    })
    await expectNothingLeft()
  })

  it('of those who went and whom no verifier ever answered', async () => {
    const asked: (() => void)[] = []
    const { repeat, expectNothingLeft, clock } = await start((_, { signal }) => {
      asked.shift()?.()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await repeat(async (client, i) => {
      const called = deferred()
      asked.push(called.resolve)
      client.write(authorized)
      await called.promise
      abort(client, i)
    })
    expect(clock.pending).toBe(cycles)
    clock.advance(5_000)
    await nextTurn()
    clock.advance(1_000)
    await expectNothingLeft()
  })

  it('of those who went at the accept', async () => {
    const { repeat, expectNothingLeft } = await start()
    await repeat(async (client, i) => {
      client.write(authorized)
      await client.until((received) => received.length > 0)
      abort(client, i)
    })
    await expectNothingLeft()
  })

  it('of those who went at the refusal, by status and by Close', async () => {
    const { repeat, expectNothingLeft } = await start()
    await repeat(async (client, i) => {
      client.write(rawHandshake('/ws?token=bad', { Origin: i % 3 === 0 ? origin : undefined }))
      await client.until((received) => received.length > 0)
      abort(client, i)
    })
    await expectNothingLeft()
  })

  it('of those who went before their first message', async () => {
    const { repeat, expectNothingLeft } = await start()
    await repeat(async (client, i) => {
      client.write(rawHandshake('/ws'))
      await client.head()
      if (i % 3 === 0) client.write(rawFrame('not a credential'))
      abort(client, i)
    })
    await expectNothingLeft()
  })

  it('of those who never sent one', async () => {
    const { repeat, expectNothingLeft, clock } = await start()
    const clients: RawClient[] = []
    await repeat(async (client) => {
      client.write(rawHandshake('/ws'))
      await client.head()
      clients.push(client)
    })
    expect(clock.pending).toBe(cycles)
    clock.advance(5_000)
    clock.advance(1_000)
    await Promise.all(clients.map((client) => client.gone()))
    for (const client of clients) client.destroy()
    await expectNothingLeft()
  })

  it('of those who went while their first message was verified', async () => {
    const asked: (() => void)[] = []
    const { repeat, expectNothingLeft } = await start(async (credential, context) => {
      asked.shift()?.()
      await nextTurn()
      return verifyGood(credential, context)
    })
    await repeat(async (client, i) => {
      const called = deferred()
      asked.push(called.resolve)
      client.write(Buffer.concat([Buffer.from(rawHandshake('/ws')), authFrame, rawFrame('behind')]))
      await called.promise
      abort(client, i)
    })
    await expectNothingLeft()
  })

  it('of those who were accepted', async () => {
    const { repeat, expectNothingLeft, guard } = await start()
    let most = 0
    await repeat(async (client, i) => {
      client.write(i % 2 === 0 ? authorized : Buffer.concat([Buffer.from(rawHandshake('/ws')), authFrame]))
      await client.until(() => client.texts().includes('hello ada'))
      most = Math.max(most, guard.connections.size)
      abort(client, i >> 1)
    })
    expect(most).toBeGreaterThan(0)
    await expectNothingLeft()
  })

  it('of those who were revoked', async () => {
    const { repeat, expectNothingLeft, guard, clock } = await start()
    const clients: RawClient[] = []
    await repeat(async (client, i) => {
      client.write(i % 2 === 0 ? authorized : Buffer.concat([Buffer.from(rawHandshake('/ws')), authFrame]))
      await client.until(() => client.texts().includes('hello ada'))
      clients.push(client)
    })
    expect(await guard.revoke({ user: 'ada' })).toBe(cycles)
    clock.advance(1_000)
    await Promise.all(clients.map((client) => client.gone()))
    for (const client of clients) client.destroy()
    await expectNothingLeft()
  })
})
