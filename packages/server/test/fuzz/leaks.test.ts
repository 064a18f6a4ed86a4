import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
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

/** How many clients come and go in all, over the stages together: the nightly run asks for more. */
const total = Number(process.env.LEAK_CYCLES ?? 3_000)
const stages = 10
/** How many of them come in a round; after each of them all must be as before. */
const cycles = 300
const rounds = Math.max(1, Math.ceil(total / stages / cycles))
const timeout = 15_000 + rounds * 30_000

/** How much more the heap may hold at the end than at the beginning: some hundred bytes a client of the nightly run. */
const mayGrow = 1_048_576
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What the heap holds when nothing is left to collect. */
async function heapInUse(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    await nextTurn()
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}

/** Fails when the last tenth of the rounds left more behind than the first tenth. */
function expectFlat(heaps: readonly number[]): void {
  const tenth = Math.ceil(heaps.length / 10)
  const least = (some: readonly number[]) => Math.min(...some)
  const growth = least(heaps.slice(-tenth)) - least(heaps.slice(0, tenth))
  expect(growth, `bytes after ${heaps.length} rounds: ${heaps.join(' ')}`).toBeLessThan(mayGrow)
}
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
  let seen = 0
  let left = deferred()
  server.on('connection', (socket) => {
    open++
    seen++
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
    for (const place of places) if ('leave' in place) place.leave()
  }

  /** Runs a round again and again. After each of them nothing is left, and after the last not more than after the first. */
  async function everyRound(round: () => Promise<void>): Promise<void> {
    const heaps: number[] = []
    for (let i = 0; i < rounds; i++) {
      await round()
      await expectNothingLeft()
      if (rounds > 1) heaps.push(await heapInUse())
    }
    if (rounds > 1) expectFlat(heaps)
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

  /** Rounds in which the clients of a life come and go, and nothing else happens. */
  const everyRoundOf = (life: (client: RawClient, i: number) => Promise<void>) => everyRound(() => repeat(life))

  /** Lets the time for heads be over, once the server has seen so many more connections come and go. */
  async function passHeads(count: number): Promise<void> {
    while (seen < count) await nextTurn()
    seen = 0
    await idle()
    clock.advance(10_000)
  }

  return { clock, guard, repeat, everyRound, everyRoundOf, passHeads }
}

/** The same, with clients that wait until the verifier is asked for what they present. */
async function startAsked(verify: Verifier<Identity>) {
  const asked: (() => void)[] = []
  const started = await start((credential, context) => {
    asked.shift()?.()
    return verify(credential, context)
  })
  const present = (client: RawClient, bytes: string | Buffer) => {
    const { promise, resolve } = deferred()
    asked.push(resolve)
    client.write(bytes)
    return promise
  }
  return { ...started, present }
}

/** Takes a turn of the event loop to answer. */
const verifyLater: Verifier<Identity> = async (credential, context) => {
  await nextTurn()
  return verifyGood(credential, context)
}

/** Comes in by the handshake or, every other client, by a first message. */
async function comeIn(client: RawClient, i: number): Promise<void> {
  client.write(i % 2 === 0 ? authorized : Buffer.concat([Buffer.from(rawHandshake('/ws')), authFrame]))
  await client.until(() => client.texts().includes('hello ada'))
}

/** Waits until the server has ended all of them. */
async function allGone(clients: readonly RawClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.gone()))
  for (const client of clients) client.destroy()
}

describe(`after ${rounds * cycles} clients that went away nothing is left`, { timeout }, () => {
  it('of those who went before their handshake was complete', async () => {
    const { repeat, everyRound, passHeads } = await start()
    await everyRound(async () => {
      await repeat(async (client, i) => {
        client.write(authorized.slice(0, 1 + (i % (authorized.length - 1))))
        abort(client, i)
      })
      await passHeads(cycles)
    })
  })

  it('of those who went while they were verified', async () => {
    const { everyRoundOf, present } = await startAsked(verifyLater)
    await everyRoundOf(async (client, i) => {
      await present(client, authorized)
      abort(client, i)
    })
  })

  it('of those who went and whom no verifier ever answered', async () => {
    const { repeat, everyRound, present, clock } = await startAsked(
      (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await everyRound(async () => {
      await repeat(async (client, i) => {
        await present(client, authorized)
        abort(client, i)
      })
      expect(clock.pending).toBe(cycles)
      clock.advance(5_000)
      await nextTurn()
      clock.advance(1_000)
    })
  })

  it('of those who went at the accept', async () => {
    const { everyRoundOf } = await start()
    await everyRoundOf(async (client, i) => {
      client.write(authorized)
      await client.until((received) => received.length > 0)
      abort(client, i)
    })
  })

  it('of those who went at the refusal, by status and by Close', async () => {
    const { everyRoundOf } = await start()
    await everyRoundOf(async (client, i) => {
      client.write(rawHandshake('/ws?token=bad', { Origin: i % 3 === 0 ? origin : undefined }))
      await client.until((received) => received.length > 0)
      abort(client, i)
    })
  })

  it('of those who went before their first message', async () => {
    const { everyRoundOf } = await start()
    await everyRoundOf(async (client, i) => {
      client.write(rawHandshake('/ws'))
      await client.head()
      if (i % 3 === 0) client.write(rawFrame('not a credential'))
      abort(client, i)
    })
  })

  it('of those who never sent one', async () => {
    const { repeat, everyRound, clock } = await start()
    await everyRound(async () => {
      const clients: RawClient[] = []
      await repeat(async (client) => {
        client.write(rawHandshake('/ws'))
        await client.head()
        clients.push(client)
      })
      expect(clock.pending).toBe(cycles)
      clock.advance(5_000)
      clock.advance(1_000)
      await allGone(clients)
    })
  })

  it('of those who went while their first message was verified', async () => {
    const { everyRoundOf, present } = await startAsked(verifyLater)
    await everyRoundOf(async (client, i) => {
      await present(client, Buffer.concat([Buffer.from(rawHandshake('/ws')), authFrame, rawFrame('behind')]))
      abort(client, i)
    })
  })

  it('of those who were accepted', async () => {
    const { repeat, everyRound, guard } = await start()
    await everyRound(async () => {
      let most = 0
      await repeat(async (client, i) => {
        await comeIn(client, i)
        most = Math.max(most, guard.connections.size)
        abort(client, i >> 1)
      })
      expect(most).toBeGreaterThan(0)
    })
  })

  it('of those who were revoked', async () => {
    const { repeat, everyRound, guard, clock } = await start()
    await everyRound(async () => {
      const clients: RawClient[] = []
      await repeat(async (client, i) => {
        await comeIn(client, i)
        clients.push(client)
      })
      expect(await guard.revoke({ user: 'ada' })).toMatchObject({ closed: cycles })
      clock.advance(1_000)
      await allGone(clients)
    })
  })
})
