import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cableOfTest } from '../support/cable.js'
import { fresh } from '../support/claims.js'
import { openByTicket, startNode, stateOf, ticketOf } from '../support/node.js'
import { postgresOfTest } from '../support/postgres.js'
import { passTime, redisOfTest } from '../support/redis.js'

// As it is by default.
const impatient = { store: { timeout: 500 } }
// Ten times that: a machine that is busy is late, and a command that hangs never comes.
const inTime = 5_000
const unavailable = { code: 1013, reason: 'Temporarily unavailable' }

/** How long something takes, in milliseconds, whatever comes of it. */
async function timeOf(work: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work.catch(() => {})
  return performance.now() - start
}

describe.each([
  ['a Redis', redisOfTest],
  ['a PostgreSQL', postgresOfTest],
])('%s that cannot be asked', (_, serverOfTest) => {
  it.each([
    ['I01 is down', 'kill'],
    ['I02 hangs', 'freeze'],
  ] as const)('%s: new tickets get 503 in time, tokens and connections go on', { timeout: 30_000 }, async (_, how) => {
    const server = await serverOfTest()
    const node = await startNode(server, impatient)
    const live = await node.connect()
    expect(await live.text()).toBe('hello ada')
    const before = await ticketOf(node)

    if (how === 'kill') await server.kill()
    else server.signal('SIGSTOP')

    const issuing = node.issue()
    expect(await timeOf(issuing)).toBeLessThan(inTime)
    expect(await issuing).toEqual({ status: 503, ticket: '', retryAfter: '5' })
    const redeeming = node.redeem(before)
    expect(await timeOf(redeeming)).toBeLessThan(inTime)
    await expect(redeeming).rejects.toThrow('503')
    await stateOf(node, 'stale')
    // A token needs nobody but the revocations that are known.
    const newer = await node.connect()
    expect(await newer.text()).toBe('hello ada')
    live.send('still here')
    expect(await live.text()).toBe('still here')

    if (how === 'kill') await server.restart()
    else server.signal('SIGCONT')
    await stateOf(node, 'current')
    expect(await (await openByTicket(node)).text()).toBe('hello ada')
    expect(live.socket.readyState).toBe(live.socket.OPEN)
  })

  it('I09 for longer than maxStaleness: connections close with 1013, new ones get 503, and all comes back by itself', {
    timeout: 30_000,
  }, async () => {
    const server = await serverOfTest()
    const node = await startNode(server, { ...impatient, life: { maxStaleness: 3_000 } })
    const live = await node.connect()
    server.signal('SIGSTOP')
    expect(await live.closed).toEqual(unavailable)
    expect(node.guard.health).toEqual({ store: 'unavailable', draining: false })
    await expect(node.connect()).rejects.toThrow('503')
    server.signal('SIGCONT')
    await stateOf(node, 'current')
    expect(await (await node.connect()).text()).toBe('hello ada')
    expect(node.events.flatMap((event) => (event.type === 'store' ? [event.state] : []))).toEqual([
      'current',
      'stale',
      'unavailable',
      'current',
    ])
  })

  it('I13 when a node starts: nobody comes in before it knows the revocations', { timeout: 30_000 }, async () => {
    const server = await serverOfTest()
    const first = await startNode(server)
    await first.guard.revoke({ user: 'eve' })
    const eve = fresh({ id: 'eve', issuedAt: Date.now() - 60_000 })
    server.signal('SIGSTOP')
    const node = await startNode(server, { ready: false })
    await expect(node.connect()).rejects.toThrow('503')
    await expect(node.connect(eve)).rejects.toThrow('503')
    server.signal('SIGCONT')
    await node.guard.ready()
    expect(await (await node.connect()).text()).toBe('hello ada')
    await expect(node.connect(eve)).rejects.toThrow('401')
  })
})

describe('a Redis that cannot be asked', () => {
  it('I13 restarted empty: the nodes give back what it has forgotten', { timeout: 30_000 }, async () => {
    const redis = await redisOfTest(['appendonly no'])
    const node = await startNode(redis)
    const eve = fresh({ id: 'eve', issuedAt: Date.now() - 60_000 })
    await node.guard.revoke({ user: 'eve' })
    await redis.restart()
    expect(await redis.client().keys('*log')).toEqual([])
    // Confirmed by a node that has read the log anew.
    await node.guard.revoke({ user: 'somebody' })
    const late = await startNode(redis)
    await expect(late.connect(eve)).rejects.toThrow('401')
    expect(await (await late.connect()).text()).toBe('hello ada')
  })

  it('I13 emptied by hand: the same', async () => {
    const redis = await redisOfTest()
    const [node, other] = [await startNode(redis), await startNode(redis)]
    const eve = fresh({ id: 'eve', issuedAt: Date.now() - 60_000 })
    await node.guard.revoke({ user: 'eve' })
    await redis.client().flushall()
    // What is appended behind it comes to a log that is whole again.
    await other.guard.revoke({ user: 'somebody' })
    const late = await startNode(redis)
    await expect(late.connect(eve)).rejects.toThrow('401')
    expect(await (await late.connect()).text()).toBe('hello ada')
  })

  it('I21 is slow: commands are refused at their deadline, and none waits in line behind', {
    timeout: 60_000,
  }, async () => {
    const redis = await redisOfTest()
    const deadline = 2_000
    const node = await startNode(redis, { store: { timeout: deadline } })
    const paused = 10_000
    await redis.client().call('CLIENT', 'PAUSE', `${paused}`, 'ALL')
    const issuing = Array.from({ length: 200 }, (_, i) => node.issue(fresh({ id: `user-${i}` })))
    // One after the other they would need far longer than the pause.
    expect(await timeOf(Promise.all(issuing))).toBeLessThan(paused)
    expect((await Promise.all(issuing)).every(({ status }) => status === 503)).toBe(true)
    // Refused at once by now.
    expect(await timeOf(node.issue())).toBeLessThan(deadline)
    await stateOf(node, 'stale')
    await stateOf(node, 'current')
    await ticketOf(node)
  })

  it('I89 whose connection is dead without a word: socketTimeout gives it up, and no other', {
    timeout: 30_000,
  }, async () => {
    const redis = await redisOfTest()
    const cable = await cableOfTest(redis.port)
    const client = new Redis(cable.port, '127.0.0.1', { retryStrategy: () => 50, socketTimeout: 2_000 })
    onTestFinished(() => client.disconnect())
    const given: string[] = []
    client.on('error', (error) => given.push(error.message))
    const node = await startNode({ client: () => client }, impatient)
    await ticketOf(node)
    // For longer than that nobody but the node speaks.
    await passTime(redis.client(), 2_500)
    expect(given).toEqual([])
    cable.strand()
    await stateOf(node, 'stale')
    await stateOf(node, 'current')
    await ticketOf(node)
    expect(given).toEqual([expect.stringContaining('Socket timeout')])
  })

  it('is full: tickets get 503, revocations are still read', async () => {
    const redis = await redisOfTest(['maxmemory 4mb', 'maxmemory-policy noeviction'])
    const node = await startNode(redis)
    const client = redis.client()
    await client.config('SET', 'maxmemory', '1')
    expect((await node.issue()).status).toBe(503)
    expect(await (await node.connect()).text()).toBe('hello ada')
    expect(node.guard.health.store).toBe('current')
    await expect(node.guard.revoke({ user: 'eve' })).rejects.toThrow('Redis answered OOM')
    await client.config('SET', 'maxmemory', '0')
    expect((await node.issue()).status).toBe(201)
  })

  it('I11 is a replica: nothing of it is believed', { timeout: 30_000 }, async () => {
    const [redis, elsewhere] = [await redisOfTest(), await redisOfTest()]
    const node = await startNode(redis)
    const ticket = await ticketOf(node)
    await redis.client().call('REPLICAOF', '127.0.0.1', `${elsewhere.port}`)
    expect((await node.issue()).status).toBe(503)
    await expect(node.redeem(ticket)).rejects.toThrow('503')
    await stateOf(node, 'stale')
    await redis.client().call('REPLICAOF', 'NO', 'ONE')
    await stateOf(node, 'current')
    expect((await node.issue()).status).toBe(201)
  })
})
