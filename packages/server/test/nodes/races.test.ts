import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { credentialOf, fresh } from '../support/claims.js'
import { Client } from '../support/client.js'
import { postgresOfTest } from '../support/postgres.js'
import { rawHandshake } from '../support/raw.js'
import { redisOfTest } from '../support/redis.js'
import { post } from './http.js'
import type { NodeArguments, SharedServer } from './node.js'

const secret = 'of all the nodes of these tests, a secret'

/** Three nodes in processes of their own, over one server. */
async function threeNodes(shared: SharedServer): Promise<number[]> {
  const options: NodeArguments = { shared, secret }
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

/** Asks for a ticket until there is one: a node that waits too long for Redis refuses, as it should. */
async function ticketOf(port: number): Promise<string> {
  for (;;) {
    const { status, body } = await post(port, '/ws/ticket', '', { authorization: `Bearer ${credentialOf(fresh())}` })
    if (status === 201) return (body as { ticket: string }).ticket
    expect(status).toBe(503)
  }
}

/** Whether every node has said that it has it. One that is too slow is told of, and never counted out. */
async function isRevokedEverywhere(port: number, target: object): Promise<boolean> {
  const { status, body } = await post(port, '/revoke', JSON.stringify(target))
  if (status === 200) expect(body).toMatchObject({ nodes: 3 })
  else expect(status).toBe(503)
  return status === 200 && (body as { confirmed: number }).confirmed === 3
}

const host = '127.0.0.1'
const servers = [
  {
    name: 'Redis',
    start: async () => ({ redis: { host, port: (await redisOfTest()).port } }),
    tickets: 2_000,
    rounds: 10_000,
  },
  {
    name: 'PostgreSQL',
    start: async () => ({ postgres: { host, port: (await postgresOfTest()).port } }),
    tickets: 200,
    rounds: 1_000,
  },
]

describe.each(servers)('three nodes on one $name', ({ start, tickets, rounds }) => {
  it(`C02 have exactly one winner for each of ${tickets} tickets, with 50 who race for it`, {
    timeout: 480_000,
  }, async () => {
    const ports = await threeNodes(await start())
    const together = 10

    /** How many have won. When one was told that the store is out of reach, the ticket may be spent for nobody. */
    async function race(i: number): Promise<number> {
      for (;;) {
        const ticket = await ticketOf(ports[i % 3]!)
        const racers = Array.from({ length: 50 }, (_, racer) => knock(ports[racer % 3]!, `/ws?ticket=${ticket}`))
        const statuses = await Promise.all(racers)
        const winners = statuses.filter((status) => status === 101).length
        const unsure = statuses.includes(503)
        expect(statuses.every((status) => status === 101 || status === 401 || status === 503)).toBe(true)
        if (winners > 0 || !unsure) return winners
      }
    }

    const winners: number[] = []
    for (let done = 0; done < tickets; done += together) {
      winners.push(...(await Promise.all(Array.from({ length: together }, (_, i) => race(i)))))
    }
    expect(winners).toHaveLength(tickets)
    expect(winners.filter((count) => count !== 1)).toEqual([])
  })

  it(`F05 leave no survivor of ${rounds} revocations that race with a handshake`, { timeout: 480_000 }, async () => {
    const ports = await threeNodes(await start())
    const together = 200
    const outcomes = { 401: 0, 4010: 0 }
    let confirmed = 0

    async function race(i: number): Promise<401 | 4010> {
      const id = `user-${i}`
      const headers = { Authorization: `Bearer ${credentialOf(fresh({ id, issuedAt: Date.now() - 1_000 }))}` }
      const opening = Client.open(`ws://127.0.0.1:${ports[i % 3]}/ws`, { headers, perMessageDeflate: false })
      const revoking = isRevokedEverywhere(ports[(i + 1) % 3]!, { user: id })
      const client = await opening.catch((error: Error) => {
        expect(error.message).toContain('401')
        return undefined
      })
      if (await revoking) confirmed += 1
      if (!client) return 401
      expect((await client.closed).code).toBe(4010)
      return 4010
    }

    for (let done = 0; done < rounds; done += together) {
      const races = Array.from({ length: together }, (_, i) => race(done + i))
      for (const outcome of await Promise.all(races)) outcomes[outcome] += 1
    }
    expect(confirmed).toBeGreaterThan(0)
    // Both ways of losing were seen, or there was no race.
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0)
    const states = await Promise.all(ports.map((port) => post(port, '/state')))
    expect(states.map(({ body }) => (body as { connections: number }).connections)).toEqual([0, 0, 0])
  })
})
