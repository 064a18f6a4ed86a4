import { randomUUID } from 'node:crypto'
import { redisStore } from '@sallyport/server/redis'
import { describe, expect, it, vi } from 'vitest'
import { fresh } from '../support/claims.js'
import { patient, secret, startNode } from '../support/node.js'
import { redisOfTest } from '../support/redis.js'

const revoked = { code: 4010, reason: 'Revoked' }
const keep = 60_000

describe('F02 a revocation on one node', () => {
  it('F02 closes the sockets on all within a second, and says how many nodes have it', async () => {
    const redis = await redisOfTest()
    const nodes = await Promise.all([startNode(redis), startNode(redis), startNode(redis)])
    const clients = await Promise.all(nodes.map((node) => node.connect()))
    const siblings = await Promise.all(nodes.map((node) => node.connect(fresh({ id: 'eve', session: 's2' }))))
    const start = performance.now()
    const closing = Promise.all(clients.map(({ closed }) => closed))
    expect(await nodes[0].guard.revoke({ session: 's1' }, 'logged out')).toEqual({ closed: 1, confirmed: 3, nodes: 3 })
    expect(await closing).toEqual([revoked, revoked, revoked])
    expect(performance.now() - start).toBeLessThan(1_000)
    for (const node of nodes) {
      await expect(node.connect()).rejects.toThrow('401')
      expect(node.events).toContainEqual(
        expect.objectContaining({ type: 'ended', code: 'revoked', reason: 'logged out' }),
      )
    }
    for (const sibling of siblings) expect(sibling.socket.readyState).toBe(sibling.socket.OPEN)
  })

  it('F02 names one connection, on whatever node it is', async () => {
    const redis = await redisOfTest()
    const [here, there] = [await startNode(redis), await startNode(redis)]
    const client = await there.connect()
    const sibling = await there.connect()
    const [first] = there.guard.connections
    await here.guard.revoke({ connection: first!.id })
    expect(await client.closed).toEqual(revoked)
    expect(sibling.socket.readyState).toBe(sibling.socket.OPEN)
  })

  it('C06 means the tickets that another node has issued', async () => {
    const redis = await redisOfTest()
    const [here, there] = [await startNode(redis), await startNode(redis)]
    const [issued, spared] = [await here.issue(), await here.issue(fresh({ id: 'eve', session: 's2' }))]
    await there.guard.revoke({ session: 's1' })
    await expect(here.redeem(issued.ticket)).rejects.toThrow('401')
    expect(await (await here.redeem(spared.ticket)).text()).toBe('hello eve')
  })

  it('I06 is known to a node that was cut off meanwhile, as soon as it is back', { timeout: 30_000 }, async () => {
    const redis = await redisOfTest()
    const [here, there] = [await startNode(redis), await startNode(redis)]
    const client = await there.connect()
    redis.signal('SIGSTOP')
    const revoking = here.guard.revoke({ session: 's1' })
    await expect(revoking).rejects.toThrow('Redis')
    redis.signal('SIGCONT')
    // The node that could not say it then says it now.
    expect(await client.closed).toEqual(revoked)
  })
})

describe('the log in Redis', () => {
  it('I07 I08 gives an entry that comes again, or late, no other meaning', async () => {
    const redis = await redisOfTest()
    const node = await startNode(redis)
    await node.guard.revoke({ user: 'ada' })
    const client = redis.client()
    const entries = await client.xrange('{sallyport}:log', '-', '+')
    const newer = fresh({ issuedAt: Date.now() + 2_000 })
    // Until the node knows that it is later by the clock of Redis, too.
    const live = await vi.waitFor(() => node.connect(newer), { timeout: 10_000 })
    for (const [, fields] of entries) await client.xadd('{sallyport}:log', '*', ...fields)
    await node.guard.revoke({ user: 'somebody' })
    expect(live.socket.readyState).toBe(live.socket.OPEN)
    await expect(node.connect(fresh({ issuedAt: Date.now() - 10_000 }))).rejects.toThrow('401')
  })

  it('I18 I20 believes what a node of another version wrote, and nothing that no node did', async () => {
    const redis = await redisOfTest()
    const node = await startNode(redis)
    const live = await node.connect()
    const client = redis.client()
    const forged = JSON.stringify({ target: 'all', at: Date.now() + 60_000, code: 'revoked' })
    for (const entry of [forged, `${'a'.repeat(43)} ${forged}`, '']) {
      await client.xadd('{sallyport}:log', '*', 'entry', entry, 'until', `${Date.now() + keep}`)
    }
    await node.guard.revoke({ user: 'somebody' })
    expect(live.socket.readyState).toBe(live.socket.OPEN)
    const newerVersion = redisStore({ client: redis.client(), secret })
    await newerVersion.append(JSON.stringify({ target: { galaxy: 7 }, at: Date.now() + 1_000 }), keep)
    expect(await live.closed).toEqual(revoked)
  })

  it('I08 loses nothing in between, however many entries there are', { timeout: 30_000 }, async () => {
    const redis = await redisOfTest()
    const store = redisStore({ client: redis.client({ enableAutoPipelining: true }), secret, timeout: patient })
    const many = Array.from({ length: 1_500 }, (_, i) => `${i}`)
    await Promise.all(many.map((entry) => store.append(entry, keep)))
    const seen = new Set<string>()
    let looks = 0
    await new Promise<void>((resolve) => {
      const following = store.follow({
        maxStaleness: keep,
        onEntry: (entry) => void seen.add(entry),
        entries: () => [],
        onLook: () => {
          looks += 1
          if (following.currentAt !== undefined) void following.stop().then(resolve)
        },
      })
    })
    expect(seen.size).toBe(many.length)
    expect(looks).toBeGreaterThan(1)
  })
})

describe('C18 two environments on one Redis', () => {
  it.each([
    ['another prefix', { prefix: 'staging' }],
    ['another secret', { secret: 'of another environment, another secret' }],
  ])('C18 know nothing of each other: %s', async (_, store) => {
    const redis = await redisOfTest()
    const [production, staging] = [await startNode(redis), await startNode(redis, { store })]
    const [mine, theirs] = [await production.issue(), await staging.issue()]
    await expect(production.redeem(theirs.ticket)).rejects.toThrow('401')
    expect(await (await production.redeem(mine.ticket)).text()).toBe('hello ada')
    const live = await production.connect()
    await staging.guard.revoke('all')
    await production.guard.revoke({ user: randomUUID() })
    expect(live.socket.readyState).toBe(live.socket.OPEN)
  })

  it('C18 but one secret after another is a rotation', async () => {
    const redis = await redisOfTest()
    const next = 'the secret that comes after the first'
    const old = await startNode(redis)
    const rotated = await startNode(redis, { store: { secret: [next, secret] } })
    const issued = await old.issue()
    expect(await (await rotated.redeem(issued.ticket)).text()).toBe('hello ada')
    const newer = await rotated.issue()
    await expect(old.redeem(newer.ticket)).rejects.toThrow('401')
  })
})
