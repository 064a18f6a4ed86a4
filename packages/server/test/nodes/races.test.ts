import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { credentialOf, fresh } from '../support/claims.js'
import { Client } from '../support/client.js'
import { rawHandshake } from '../support/raw.js'
import { redisOfTest } from '../support/redis.js'
import { post } from './http.js'
import type { NodeArguments } from './node.js'

const secret = 'of all the nodes of these tests, a secret'

/** Three nodes in processes of their own, over one Redis. */
async function threeNodes(): Promise<number[]> {
  const redis = await redisOfTest()
  const options: NodeArguments = { redis: { host: '127.0.0.1', port: redis.port }, secret }
  const children = await Promise.all(
    [1, 2, 3].map(() => startChild(new URL('./node.ts', import.meta.url), { args: [JSON.stringify(options)] })),
  )
  return (await Promise.all(children.map((child) => child.next()))) as number[]
}

/** The status that a handshake is answered with. What follows is not looked at. */
function knock(port: number, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(rawHandshake(target)))
    socket.once('data', (data) => {
      socket.resetAndDestroy()
      resolve(Number(data.toString('latin1', 9, 12)))
    })
    socket.once('error', reject)
  })
}

describe('three nodes on one Redis', () => {
  it('C02 have exactly one winner for each of 2,000 tickets, with 50 who race for it', {
    timeout: 240_000,
  }, async () => {
    const ports = await threeNodes()
    const tickets = 2_000
    const together = 10
    const headers = { authorization: `Bearer ${credentialOf(fresh())}` }
    const winners: number[] = []
    for (let done = 0; done < tickets; done += together) {
      const races = Array.from({ length: together }, async (_, i) => {
        const issued = await post(ports[i % 3]!, '/ws/ticket', '', headers)
        const { ticket } = issued.body as { ticket: string }
        const racers = Array.from({ length: 50 }, (_, racer) => knock(ports[racer % 3]!, `/ws?ticket=${ticket}`))
        const statuses = await Promise.all(racers)
        expect(statuses.every((status) => status === 101 || status === 401)).toBe(true)
        winners.push(statuses.filter((status) => status === 101).length)
      })
      await Promise.all(races)
    }
    expect(winners).toHaveLength(tickets)
    expect(winners.filter((count) => count !== 1)).toEqual([])
  })

  it('F05 leave no survivor of 10,000 revocations that race with a handshake', { timeout: 240_000 }, async () => {
    const ports = await threeNodes()
    const rounds = 10_000
    const together = 200
    const outcomes = { refused: 0, closed: 0 }
    for (let done = 0; done < rounds; done += together) {
      const races = Array.from({ length: together }, async (_, i) => {
        const id = `user-${done + i}`
        const headers = { Authorization: `Bearer ${credentialOf(fresh({ id, issuedAt: Date.now() - 1_000 }))}` }
        const opening = Client.open(`ws://127.0.0.1:${ports[i % 3]}/ws`, { headers, perMessageDeflate: false })
        const revoking = post(ports[(i + 1) % 3]!, '/revoke', JSON.stringify({ user: id }))
        const client = await opening.catch((error: Error) => {
          expect(error.message).toContain('401')
          return undefined
        })
        expect((await revoking).body).toMatchObject({ confirmed: 3, nodes: 3 })
        if (!client) {
          outcomes.refused += 1
          return
        }
        expect((await client.closed).code).toBe(4010)
        outcomes.closed += 1
      })
      await Promise.all(races)
    }
    expect(outcomes.refused + outcomes.closed).toBe(rounds)
    // Both ways of losing were seen, or there was no race.
    expect(Math.min(outcomes.refused, outcomes.closed)).toBeGreaterThan(0)
    const states = await Promise.all(ports.map((port) => post(port, '/state')))
    expect(states.map(({ body }) => (body as { connections: number }).connections)).toEqual([0, 0, 0])
  })
})
