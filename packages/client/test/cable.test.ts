import { GuardedSocket, type GuardedSocketEventMap, lifecycle, ticket } from '@sallyport/client'
import { createGuard, type GuardEvent, type Identity, type Verifier } from '@sallyport/server'
import { testClock } from '@sallyport/server/testing'
import { expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { cableOfTest } from '../../server/test/support/cable.js'
import { allMethods } from '../../server/test/support/guard.js'
import { startServer } from '../../server/test/support/server.js'
import { FakeClock, settled } from './fakes.js'

const next = <K extends keyof GuardedSocketEventMap>(socket: GuardedSocket, type: K) =>
  new Promise<GuardedSocketEventMap[K]>((resolve) => socket.addEventListener(type, resolve, { once: true }))

/** For an hour, so that no connection ends of itself. */
const verify: Verifier<Identity> = (id, { now }) => ({
  identity: { id },
  issuedAt: now,
  expiresAt: now + 3_600_000,
  session: 's1',
})

/** A client and a guarded server, with a cable between them; each end has a clock of its own. */
async function connected() {
  const server = testClock()
  const guard = createGuard({ ...allMethods(verify), clock: server })
  const told: GuardEvent[] = []
  guard.subscribe((event) => told.push(event))
  const cable = await cableOfTest((await startServer(guard)).port)
  const client = new FakeClock()
  /** Each time that the client asked whether the network still carries an answer. */
  const asked: Promise<Response>[] = []
  const ask: typeof fetch = (...args) => {
    const answer = fetch(...args)
    asked.push(answer)
    return answer
  }
  const socket = new GuardedSocket(`ws://127.0.0.1:${cable.port}/ws`, {
    credential: ticket('/ws/ticket', { token: () => 'ada' }),
    lifecycle: lifecycle({ fetch: ask }),
    WebSocket,
    clock: client,
    random: () => 1,
  })
  onTestFinished(() => socket.close())
  await next(socket, 'message')
  return { guard, told, cable, client, server, asked, socket }
}

it('K30 a cable that is cut without a word is noticed at both ends, and the client comes again when it is whole', async () => {
  const { guard, told, cable, client, server, asked, socket } = await connected()
  await client.advance(60_000)
  expect((await asked[0])?.status).toBe(426)
  await settled()

  cable.silence()
  await client.advance(60_000)
  expect([asked.length, socket.readyState]).toEqual([2, socket.OPEN])
  const lost = next(socket, 'reconnecting')
  await client.advance(10_000)
  expect((await lost).outcome).toMatchObject({ kind: 'network' })
  expect(socket.readyState).toBe(socket.CONNECTING)

  expect(guard.connections.size).toBe(1)
  for (let half = 0; half < 6; half++) {
    server.advance(15_000)
    await settled()
  }
  expect(guard.connections.size).toBe(0)
  expect(told).toContainEqual(expect.objectContaining({ type: 'ended', reason: 'heartbeat' }))

  cable.heal()
  const back = next(socket, 'message')
  await client.advance(500)
  expect((await back).data).toBe('hello ada')
})

it('K30 a cable that carries is left alone, though nothing is said on it for ten minutes', async () => {
  const { guard, client, asked, socket } = await connected()
  const reconnecting = vi.fn()
  socket.addEventListener('reconnecting', reconnecting)
  for (let minute = 1; minute <= 10; minute++) {
    await client.advance(60_000)
    await Promise.all(asked)
    await settled()
  }
  expect([asked.length, socket.readyState, guard.connections.size]).toEqual([10, socket.OPEN, 1])
  expect(reconnecting).not.toHaveBeenCalled()
})
