import { createGuard, type GuardEvent } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods } from '../support/guard.js'
import { type RawClient, rawFrame, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'

const bearer = { Authorization: 'Bearer good-ada' }
const isPing = ({ opcode }: { opcode: number }) => opcode === 9

/** A live connection, and time. `heartbeat` is in milliseconds. */
async function start(heartbeat = 30_000) {
  const clock = testClock()
  const life = { heartbeat }
  const verify = (id: string) => ({ identity: { id } })
  const guard = createGuard({
    ...allMethods(verify),
    clock,
    life,
    connectionsPerIdentity: { max: 1, whenFull: 'refuse' },
  })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const { port } = await startServer(guard)
  const { client } = await rawOpen(port, '/ws', bearer)
  const pings = () => client.frames().filter(isPing).length
  /** Lets half a heartbeat pass, and the peer do what it does about a ping. */
  const half = async (answer?: () => void) => {
    const before = pings()
    clock.advance(15_000)
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    if (pings() > before) answer?.()
    for (let turn = 0; turn < 20; turn++) await nextTurn()
  }
  const status = async () => (await rawOpen(port, '/ws', bearer)).head.status
  return { clock, guard, events, client, half, status, pings }
}

const pong = (client: RawClient) => () => client.write(rawFrame('', { opcode: 10 }))

describe('H30 a peer that is gone without a word', () => {
  it('H30 loses its place within two heartbeats', async () => {
    const { guard, events, half, status } = await start()
    expect(await status()).toBe(409)
    for (let i = 0; i < 5; i++) await half()
    expect(guard.connections.size).toBe(0)
    expect(events).toContainEqual(expect.objectContaining({ type: 'ended', code: 'goingAway', reason: 'heartbeat' }))
    expect(await status()).toBe(101)
  })

  it.each<[string, (client: RawClient) => () => void]>([
    ['answers its pings', pong],
    ['is heard, though its pong waits behind a long message', (client) => () => client.write(rawFrame('x'))],
  ])('H30 and one that %s keeps it', async (_, answer) => {
    const { guard, half, client, pings } = await start()
    for (let i = 0; i < 12; i++) await half(answer(client))
    expect(guard.connections.size).toBe(1)
    expect(pings()).toBeGreaterThanOrEqual(5)
  })

  it('H30 a clock that jumps is no silence', async () => {
    const { clock, guard, client, half } = await start()
    clock.advance(3_600_000)
    await half(pong(client))
    expect(guard.connections.size).toBe(1)
  })

  it('H30 may be left to others', async () => {
    const { guard, half, pings } = await start(0)
    for (let i = 0; i < 12; i++) await half()
    expect([guard.connections.size, pings()]).toEqual([1, 0])
  })
})
