import { inspect } from 'node:util'
import { hash } from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cableOfTest } from '../support/cable.js'
import { credentialOf, fresh } from '../support/claims.js'
import { patient, secret, startNode } from '../support/node.js'
import { redisOfTest } from '../support/redis.js'

it('J08 no credential is in a command, a key or a value of Redis', async () => {
  const redis = await redisOfTest()
  const said: string[] = []
  const monitor = await redis.client().monitor()
  monitor.on('monitor', (_time: string, args: string[]) => said.push(args.join(' ')))
  onTestFinished(() => monitor.disconnect())
  const places = { max: 2, whenFull: 'replace' } as const
  const [node, other] = [await startNode(redis, { places }), await startNode(redis, { places })]
  const token = credentialOf(fresh())
  const { ticket } = await node.issue(fresh())
  const stored = await redis.admin.get(`{sallyport}:ticket:${hash(ticket)}`)
  expect(stored).toContain('"id":"ada"')
  await (await other.redeem(ticket)).text()
  await expect(other.redeem(ticket)).rejects.toThrow('401')
  await node.connect()
  await node.guard.revoke({ session: 's1' }, 'canary')
  const keys = await redis.admin.keys('*')
  const everything = [...said, ...keys, stored].join('\n')
  // What was done is there, under hashes.
  expect(everything).toContain(hash(ticket))
  expect(said.some((line) => line.includes('"session":"s1"'))).toBe(true)
  for (const canary of [ticket, token, secret]) expect(everything).not.toContain(canary)
})

it('J02 nor in an error, whatever goes wrong', { timeout: 30_000 }, async () => {
  const redis = await redisOfTest()
  const canary = 'canary-of-the-store'
  const client = redis.client()
  const store = redisStore({ client, secret })
  const errors: unknown[] = []
  const fail = async (work: unknown) => errors.push(await Promise.resolve(work).catch((error: unknown) => error))
  await store.put(canary, canary, 60_000)
  // A key of another type, a full server, a replica, a server that hangs, a server that is gone.
  await redis.admin.call('HSET', `{sallyport}:${canary}-hash`, 'a', 'b')
  await fail(store.take(`${canary}-hash`))
  await redis.admin.config('SET', 'maxmemory', '1')
  await fail(store.put(`${canary}-2`, canary, 60_000))
  await redis.admin.config('SET', 'maxmemory', '0')
  redis.signal('SIGSTOP')
  await fail(store.take(canary))
  redis.signal('SIGCONT')
  await redis.kill()
  await fail(store.take(canary))
  await fail(store.append(canary, 60_000))
  expect(errors.map((error) => (error as Error).name)).toEqual(Array(5).fill('UnavailableError'))
  const told = errors.map((error) => inspect(error, { depth: 10, showHidden: true })).join('\n')
  expect(told).toContain('Redis answered WRONGTYPE')
  expect(told).not.toContain(canary)
})

describe.each([
  ['one server', false],
  ['a Cluster', true],
])('on %s', (_, isCluster) => {
  it('I20 an ACL user with the rights of the documentation is enough', { timeout: 30_000 }, async () => {
    const redis = await redisOfTest(isCluster ? ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'] : [])
    if (isCluster) {
      await redis.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
      await expect.poll(() => redis.admin.call('CLUSTER', 'INFO'), { timeout: patient }).toContain('cluster_state:ok')
    }
    const commands =
      'set getdel eval evalsha time info sadd scard smembers pexpire pttl zadd zrem zcard zscore zrange zrangebyscore ' +
      `xadd xdel xrange hset hgetall hdel${isCluster ? ' cluster|slots cluster|info' : ''}`
    const rights = commands.split(' ').map((command) => `+${command}`)
    await redis.admin.call('ACL', 'SETUSER', 'sallyport', 'on', '>word', '~{sallyport}:*', ...rights)
    const options = { username: 'sallyport', password: 'word' }
    const signIn = () => {
      const client = isCluster
        ? new Cluster([{ host: '127.0.0.1', port: redis.port }], { redisOptions: options })
        : new Redis(redis.port, '127.0.0.1', options)
      onTestFinished(() => client.disconnect())
      return client
    }
    const node = await startNode({ client: signIn }, { places: { max: 1, whenFull: 'replace' } })
    const { ticket } = await node.issue()
    const client = await node.redeem(ticket)
    await node.connect()
    expect((await client.closed).code).toBe(4009)
    await expect(node.connect({ id: '' })).rejects.toThrow('500')
    expect(await node.guard.revoke({ user: 'ada' })).toMatchObject({ closed: 1, confirmed: 1 })
    await expect(signIn().get('somebody-elses')).rejects.toThrow('NOPERM')
  })
})

it('I15 a ticket whose redemption was lost on the way back is gone, and the socket does not hang', async () => {
  const redis = await redisOfTest()
  const cable = await cableOfTest(redis.port)
  const client = () => {
    const far = new Redis(cable.port, '127.0.0.1', { retryStrategy: () => 20 })
    far.on('error', () => {})
    onTestFinished(() => far.disconnect())
    return far
  }
  const node = await startNode({ client })
  // From here on Redis knows the script.
  await node.redeem((await node.issue()).ticket)
  const { ticket } = await node.issue()
  const control = await node.issue()
  cable.dropReplies()
  const redeeming = node.redeem(ticket).catch((error: Error) => error)
  await expect.poll(() => redis.admin.exists(`{sallyport}:ticket:${hash(ticket)}`)).toBe(0)
  cable.heal()
  expect(String(await redeeming)).toMatch(/401|503/)
  await expect(node.redeem(ticket)).rejects.toThrow('401')
  expect(await (await node.redeem(control.ticket)).text()).toBe('hello ada')
})

it('I14 the reply to another command opens nothing', async () => {
  const redis = await redisOfTest()
  const client = redis.client()
  let isShifted = false
  // A client that has lost count of its replies: each gets the one of the command before.
  let last: unknown = null
  const shifted = {
    async call(command: string, ...args: string[]) {
      const reply = await client.call(command, ...args)
      const isTake = command.startsWith('EVAL') && args[2]?.startsWith('{sallyport}:ticket:')
      if (!isShifted || !isTake) return reply
      const before = last
      last = reply
      return before
    },
  }
  for (const store of [{ secret }, { secret: [] }]) {
    const node = await startNode({ client: () => shifted }, { store })
    const [ada, eve] = [await node.issue(fresh()), await node.issue(fresh({ id: 'eve' }))]
    isShifted = true
    await expect(node.redeem(ada.ticket)).rejects.toThrow('401')
    await expect(node.redeem(eve.ticket)).rejects.toThrow(/401|500/)
    isShifted = false
    last = null
    const control = await node.issue(fresh())
    expect(await (await node.redeem(control.ticket)).text()).toBe('hello ada')
  }
})

it('I10 a node whose clock is wrong by minutes revokes, and is revoked, all the same', async () => {
  const redis = await redisOfTest()
  for (const minutes of [-5, 5]) {
    const clock = {
      now: () => Date.now() + minutes * 60_000,
      after: (ms: number, callback: () => void) => {
        const timer = setTimeout(callback, ms)
        return () => clearTimeout(timer)
      },
    }
    const prefix = `skewed${minutes}`
    const right = await startNode(redis, { store: { prefix } })
    const wrong = await startNode(redis, { store: { prefix, clock }, clock })
    // As a session look-up does: the credential tells no time of its own.
    const timeless = { id: 'ada', session: 's1' }
    const [here, there] = [await right.connect(timeless), await wrong.connect(timeless)]
    const [mine, theirs] = [await right.issue(timeless), await wrong.issue(timeless)]
    await (minutes > 0 ? right : wrong).guard.revoke({ user: 'ada' })
    expect(await Promise.all([here.closed, there.closed])).toMatchObject([{ code: 4010 }, { code: 4010 }])
    await expect(right.redeem(theirs.ticket)).rejects.toThrow('401')
    await expect(wrong.redeem(mine.ticket)).rejects.toThrow('401')
    // What is vouched for from now on is good.
    expect(await (await right.connect(timeless)).text()).toBe('hello ada')
    expect(await (await wrong.connect(timeless)).text()).toBe('hello ada')
    const later = await wrong.issue(timeless)
    expect(await (await right.redeem(later.ticket)).text()).toBe('hello ada')
  }
})
