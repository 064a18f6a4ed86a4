import { describe, expect, it } from 'vitest'
import { credentialOf, fresh } from '../support/claims.js'
import { startNode } from '../support/node.js'
import { postgresOfTest } from '../support/postgres.js'
import { redisOfTest } from '../support/redis.js'
import { post } from './http.js'

const timeout = 60_000

const renew = (port: number, claims: ReturnType<typeof fresh>, body = '') =>
  post(port, '/ws/renew', body, { authorization: `Bearer ${credentialOf(claims)}` })

describe.each([
  ['Redis', redisOfTest],
  ['PostgreSQL', postgresOfTest],
])('F38 three nodes on one %s', { timeout }, (_, serverOfTest) => {
  it('F38 renew a connection whichever of them is asked', async () => {
    const server = await serverOfTest()
    const nodes = [await startNode(server), await startNode(server), await startNode(server)]
    const now = Date.now()
    const client = await nodes[0]!.connect(fresh({ issuedAt: now - 60_000, expiresAt: now + 60_000 }))
    await client.text()
    const [connection] = [...nodes[0]!.guard.connections]
    const body = JSON.stringify({ connection: connection!.id })
    for (const [i, { port }] of nodes.entries()) {
      const expiresAt = now + (i + 2) * 600_000
      for (const what of [body, '']) {
        const answer = await renew(port, fresh({ issuedAt: now - 1_000, expiresAt }), what)
        expect(answer.status).toBe(200)
        const { expiresIn } = answer.body as { expiresIn: number }
        expect(expiresIn).toBeGreaterThan((i + 1) * 600)
        expect(expiresIn).toBeLessThanOrEqual((i + 2) * 600)
      }
      expect(connection!.expiresAt).toBe(expiresAt)
    }
    expect((await renew(nodes[1]!.port, fresh({ id: 'eve', issuedAt: now }), body)).status).toBe(403)
    expect((await renew(nodes[1]!.port, fresh({ session: 'none' }))).status).toBe(404)
    expect((await renew(nodes[1]!.port, fresh(), '{"connection":"none"}')).status).toBe(404)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })
})

describe('F38 two nodes on one Redis', { timeout }, () => {
  it('F38 renew nothing for one who can write to Redis and has not their secret', async () => {
    const redis = await redisOfTest()
    const [asked, other] = [await startNode(redis), await startNode(redis)]
    const client = await other.connect()
    await client.text()
    const [connection] = [...other.guard.connections]
    const { expiresAt } = connection!
    const until = Date.now() + 60_000
    const accept = { type: 'accept', method: 'header', identity: { id: 'ada' } }
    const question = `${until} name asker ${JSON.stringify({ renew: { accept, connection: connection!.id } })}`
    for (const forged of [question, `${'a'.repeat(43)} ${question}`, '']) {
      await redis.admin.xadd('{sallyport}:questions', '*', 'question', forged)
    }
    // What is asked behind them is heard behind them.
    expect((await renew(asked.port, fresh({ id: 'eve' }), JSON.stringify({ connection: connection!.id }))).status).toBe(
      403,
    )
    expect(connection!.expiresAt).toBe(expiresAt)
    const [[, fields] = []] = await redis.admin.xrevrange('{sallyport}:questions', '+', '-', 'COUNT', 1)
    expect(fields?.[1]).toContain('"connection"')
    expect(await redis.admin.pttl('{sallyport}:questions')).toBeLessThanOrEqual(5_000)
  })
})
