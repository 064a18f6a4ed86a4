import { redisStore } from '@sallyport/server/redis'
import { describe, expect, it } from 'vitest'
import { fresh } from '../support/claims.js'
import { secret, startNode, stateOf } from '../support/node.js'
import { redisOfTest } from '../support/redis.js'
import { clusterOfTest, sentinelsOfTest } from '../support/redis-groups.js'
import { warningsOfTest } from '../support/warnings.js'

const timeout = 60_000

describe('a failover', () => {
  it('I03 gives no ticket a second life that the replica has not seen taken', { timeout }, async () => {
    const group = await sentinelsOfTest()
    const node = await startNode(group)
    const issued = await Promise.all(Array.from({ length: 10 }, () => node.issue()))
    await group.primary.client().wait(1, 0)
    await group.cutReplica()
    for (const { ticket } of issued) expect(await (await node.redeem(ticket)).text()).toBe('hello ada')
    await group.failOver()
    // The new primary holds all of them: they could be taken once more.
    const keys = await group.replica.client().keys('{sallyport}:ticket:*')
    expect(keys).toHaveLength(issued.length)
    await stateOf(node, 'stale')
    await stateOf(node, 'current')
    for (const { ticket } of issued) await expect(node.redeem(ticket)).rejects.toThrow('401')
    const after = await node.issue()
    expect(after.status).toBe(201)
    expect(await (await node.redeem(after.ticket)).text()).toBe('hello ada')
  })

  it('I04 loses no revocation that a node knows', { timeout }, async () => {
    const group = await sentinelsOfTest()
    const node = await startNode(group)
    const eve = fresh({ id: 'eve', issuedAt: Date.now() - 60_000 })
    await group.primary.client().wait(1, 0)
    await group.cutReplica()
    expect(await node.guard.revoke({ user: 'eve' })).toMatchObject({ confirmed: 1 })
    await group.failOver()
    const log = group.replica.client()
    const lost = await log.xlen('{sallyport}:log')
    expect(lost).toBe(0)
    await stateOf(node, 'stale')
    await stateOf(node, 'current')
    expect(await log.xlen('{sallyport}:log')).toBe(1)
    // Known to who was there, and to who comes now.
    await expect(node.connect(eve)).rejects.toThrow('401')
    const late = await startNode(group)
    await expect(late.connect(eve)).rejects.toThrow('401')
    expect(await (await late.connect()).text()).toBe('hello ada')
  })
})

describe('a node that was not told of a failover', () => {
  const leaves = { reconnectOnError: ({ message }: Error) => message.startsWith('READONLY') }

  it.each([
    ['leaves a server that is a replica by now, to ask again where the primary is', leaves],
    ['stays at it where its client is not told to, and believes nothing of it', {}],
  ])('I11 %s', { timeout }, async (_, options) => {
    const [redis, elsewhere] = [await redisOfTest(), await redisOfTest()]
    const client = redis.client(options)
    let left = 0
    client.on('close', () => {
      left += 1
    })
    const node = await startNode({ client: () => client })
    await redis.client().call('REPLICAOF', '127.0.0.1', `${elsewhere.port}`)
    await stateOf(node, 'stale')
    await expect(node.guard.revoke({ user: 'eve' })).rejects.toThrow()
    if (options === leaves) expect(left).toBeGreaterThan(0)
    else expect(left).toBe(0)
  })
})

describe('a Cluster', () => {
  it('I19 serves tickets, limits and revocations, all from one slot', { timeout }, async () => {
    const cluster = await clusterOfTest()
    const places = { max: 1, whenFull: 'replace' } as const
    const [here, there] = [await startNode(cluster, { places }), await startNode(cluster, { places })]
    const { ticket } = await here.issue()
    const client = await there.redeem(ticket)
    expect(await client.text()).toBe('hello ada')
    await expect(here.redeem(ticket)).rejects.toThrow('401')
    const newer = await here.connect()
    expect((await client.closed).code).toBe(4009)
    expect(await there.guard.revoke({ user: 'ada' })).toMatchObject({ confirmed: 2, nodes: 2 })
    expect((await newer.closed).code).toBe(4010)
    const sizes = await Promise.all(cluster.servers.map((server) => server.client().dbsize()))
    expect(sizes.filter((size) => size > 0)).toHaveLength(1)
  })
})

describe('what a server says of itself', () => {
  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])(
    'I12 is not used while it may throw revocations away: %s',
    async (policy) => {
      const redis = await redisOfTest(['maxmemory 50mb', `maxmemory-policy ${policy}`])
      const node = await startNode(redis, { ready: false })
      await expect(node.connect()).rejects.toThrow('503')
      expect((await node.issue()).status).toBe(503)
      await redis.client().config('SET', 'maxmemory-policy', 'noeviction')
      await node.guard.ready()
      expect(await (await node.connect()).text()).toBe('hello ada')
    },
  )

  it.each([
    ['I12', 'maxmemory-policy', ['maxmemory 50mb', 'maxmemory-policy volatile-lru']],
    ['I13', 'appendonly', ['appendonly no']],
  ])('%s is told to the operator: %s', async (_, text, settings) => {
    const warnings = warningsOfTest()
    for (const given of [[], settings]) {
      const redis = await redisOfTest(given)
      const store = redisStore({ client: redis.client(), secret })
      await store.put('k', 'v', 1_000)
      const told = (await warnings()).filter((warning) => warning.includes(text))
      expect(told).toHaveLength(given.length === 0 ? 0 : 1)
    }
  })

  it('I05 a primary that would go on without its replicas is told to the operator', { timeout }, async () => {
    const warnings = warningsOfTest()
    const { primary } = await sentinelsOfTest()
    for (const replicas of ['1', '0']) {
      await primary.client().config('SET', 'min-replicas-to-write', replicas)
      await redisStore({ client: primary.client(), secret }).put(`k${replicas}`, 'v', 1_000)
      const told = (await warnings()).filter((warning) => warning.includes('min-replicas-to-write'))
      expect(told).toHaveLength(1 - Number(replicas))
    }
  })
})
