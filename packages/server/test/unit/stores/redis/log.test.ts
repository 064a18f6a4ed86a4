import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '@sallyport/server'
import { type RedisClient, type RedisStoreOptions, redisStore } from '@sallyport/server/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { append, look } from '../../../../src/stores/redis/scripts.js'
import { testClock } from '../../../support/clock.js'
import { deferred, nextTurn } from '../../../support/deferred.js'
import { followerOf } from '../../../support/follower.js'
import { patient, secret } from '../../../support/node.js'
import { becomeAnother, type RedisServer, redisOfTest, startRedis } from '../../../support/redis.js'
import { warningsOfTest } from '../../../support/warnings.js'

const keep = 60_000

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** A clock by which a second lasts 50 ms. */
const quick: Clock = {
  now: () => 20 * Date.now(),
  after: (ms, callback) => systemClock.after(ms / 20, callback),
}

/** A store on a clock that is quick, but for its commands, and its keys. */
function setUp(server = redis, options: Partial<RedisStoreOptions> = {}) {
  const prefix = randomUUID()
  const store = redisStore({ client: server.client(), prefix, secret, clock: quick, timeout: 20 * patient, ...options })
  return { store, log: `{${prefix}}:log`, nodes: `{${prefix}}:nodes` }
}

/** Whether a command runs that script. */
const runs = ({ sha, source }: { readonly sha: string; readonly source: string }, [, script]: readonly string[]) =>
  script === sha || script === source

/** A client whose commands go through `pass`, which sends them and hands back the replies. */
function watched(
  server: RedisServer,
  pass: (command: readonly string[], send: () => Promise<unknown>) => Promise<unknown>,
): RedisClient {
  const client = server.client()
  return { call: (...command) => pass(command, () => client.call(...command)) }
}

describe('an entry that is appended', { timeout: 30_000 }, () => {
  it('F02 wakes those who follow on the same node', async () => {
    // They never look by themselves.
    const clock: Clock = { ...systemClock, after: (ms, cb) => (ms === 100 ? () => {} : systemClock.after(ms, cb)) }
    const { store } = setUp(redis, { clock })
    const follower = followerOf(store)
    await follower.current()
    expect(await store.append('1', keep)).toEqual({ confirmed: 1, followers: 1 })
    expect(follower.entries).toEqual(['1'])
    // What has come is confirmed by the next look, which is not far.
    expect(await store.append('2', keep)).toEqual({ confirmed: 1, followers: 1 })
    await follower.stop()
  })

  it('F02 waits a second for one that has died without a word, and says that it has not got it', async () => {
    const { store, nodes } = setUp()
    const follower = followerOf(store)
    await follower.current()
    await redis.admin.hset(nodes, 'dead', `${Date.now() + keep} 0-0 0-0 0`)
    expect(await store.append('1', keep)).toEqual({ confirmed: 1, followers: 2 })
    // One that is said to be dead counts no more.
    await redis.admin.hset(nodes, 'dead', `${Date.now() - 1} 0-0 0-0 0`)
    expect(await store.append('2', keep)).toEqual({ confirmed: 1, followers: 1 })
    expect(await redis.admin.hexists(nodes, 'dead')).toBe(0)
    await follower.stop()
  })

  it.each([
    ['the same millisecond', '9999999999999-5', '9999999999999-5', '9999999999999-6'],
    ['a number that is longer', '9999999999999-9', '9999999999999-9', '9999999999999-10'],
    ['a time that is longer', '9999999999999-1', '9999999999998-7', '10000000000000-0'],
  ])('I08 has come to those whose place is not before it: %s', async (_, last, before, behind) => {
    const { store, log, nodes } = setUp()
    for (const [position, confirmed] of [[before, 0] as const, [behind, 1] as const]) {
      await redis.admin.del(log)
      await redis.admin.xadd(log, last, 'entry', '', 'until', `${Date.now() + keep}`)
      await redis.admin.hset(nodes, 'other', `${Date.now() + keep} ${position} 0-0 0`)
      expect(await store.append('1', keep)).toEqual({ confirmed, followers: 1 })
    }
  })
})

describe('one who follows the log', { timeout: 30_000 }, () => {
  it('I10 knows the time of the store as well as the replies tell, and its own place from before it asked', async () => {
    let ahead = 0
    const clock: Clock = { ...systemClock, now: () => Date.now() + ahead }
    // A second goes by on the node between each question and its answer.
    const client = watched(redis, async (command, send) => {
      const reply = await send()
      if (runs(look, command)) ahead += 1_000
      return reply
    })
    const { store } = setUp(redis, { clock, client })
    const follower = followerOf(store)
    await follower.current()
    const { currentAt, time } = follower.following
    const now = Date.now()
    expect(time.earliest).toBeLessThanOrEqual(now)
    expect(time.latest).toBeGreaterThanOrEqual(now)
    expect(time.latest - time.earliest).toBeGreaterThanOrEqual(1_000)
    expect(currentAt).toBeLessThanOrEqual(clock.now() - 1_000)
    await follower.stop()
  })

  it('I21 asks a server that does not answer no second time', async () => {
    const clock = testClock()
    const gate = deferred()
    let looks = 0
    const client = watched(redis, async (command, send) => {
      if (runs(look, command) && command[0] === 'EVALSHA') looks += 1
      await gate.promise
      return send()
    })
    const { store } = setUp(redis, { clock, client, timeout: 500 })
    const follower = followerOf(store)
    for (let i = 0; i < 5; i++) {
      const looked = follower.nextLook()
      clock.advance(500)
      await looked
      await nextTurn()
      clock.advance(100)
      await nextTurn()
    }
    expect(looks).toBe(1)
    expect(follower.following.currentAt).toBeUndefined()
    gate.resolve()
    await follower.current()
    const looked = follower.nextLook()
    clock.advance(100)
    await looked
    expect(looks).toBe(2)
    await follower.stop()
  })

  it('I02 goes on when a look has failed', async () => {
    let isBroken = true
    const client = watched(redis, async (_, send) => {
      if (isBroken) throw new Error('Connection is closed.')
      return send()
    })
    const { store } = setUp(redis, { client })
    const follower = followerOf(store)
    for (let i = 0; i < 3; i++) await follower.nextLook()
    expect(follower.following.currentAt).toBeUndefined()
    isBroken = false
    await follower.current()
    await follower.stop()
  })

  it('I13 gives nothing back that is over, and does not wait for it', async () => {
    const { store, log } = setUp()
    const follower = followerOf(store, [['over', -keep], 'good'])
    await follower.current()
    await expect.poll(() => redis.admin.xlen(log)).toBe(1)
    expect(follower.entries).toEqual(['good'])
    await follower.stop()
  })

  it('I20 passes over what no node has written, and says so once', async () => {
    const warnings = warningsOfTest()
    const { store, log } = setUp()
    const follower = followerOf(store)
    await follower.current()
    await store.append('1', keep)
    const [[, ours] = []] = await redis.admin.xrange(log, '-', '+')
    const [mark, text] = ours![1]!.split(' ')
    for (const entry of ['forged', `${[...mark!].reverse().join('')} ${text}`, '']) {
      await redis.admin.xadd(log, '*', 'entry', entry, 'until', `${Date.now() + keep}`)
    }
    // An end that is none must not keep others from being written.
    await redis.admin.xadd(log, '*', 'forged', '')
    await store.append('2', keep)
    await follower.has('2')
    // Where the one is swept up that it stands at, it reads all again.
    expect([...new Set(follower.entries)]).toEqual(['1', '2'])
    expect(await warnings()).toEqual([expect.stringContaining('was not written with our secret')])
    await follower.stop()
  })

  it('I06 is one that the others can see, or has no news', async () => {
    const { store, nodes } = setUp()
    await redis.admin.set(nodes, 'no hash')
    const follower = followerOf(store)
    await follower.nextLook()
    await follower.nextLook()
    expect(follower.following.currentAt).toBeUndefined()
    await redis.admin.del(nodes)
    await follower.current()
    await follower.stop()
  })

  it('I06 except on a server that is full, which can still be read', async () => {
    const own = await redisOfTest()
    const { store } = setUp(own)
    await store.append('1', keep)
    await own.admin.config('SET', 'maxmemory', '1')
    const follower = followerOf(store)
    await follower.current()
    expect(follower.entries).toEqual(['1'])
    await own.admin.config('SET', 'maxmemory', '0')
    // A look may be under way that it has not let write.
    for (let i = 0; i < 2; i++) await follower.nextLook()
    expect(await store.append('2', keep)).toEqual({ confirmed: 1, followers: 1 })
    await follower.stop()
  })
})

describe('I04 I13 what the log has lost', { timeout: 30_000 }, () => {
  const many = Array.from({ length: 1_100 }, (_, i) => `${i}`)

  it('is appended again by one who knows it, and nothing else', async () => {
    const own = await redisOfTest()
    const { store, log } = setUp(own)
    const follower = followerOf(store, ['1', '2'])
    await follower.current()
    expect(await own.admin.xlen(log)).toBe(2)
    expect(follower.asked).toBe(1)
    // Looks that find everything in its place ask nobody.
    for (let i = 0; i < 3; i++) await follower.nextLook()
    expect(follower.asked).toBe(1)
    await own.admin.flushall()
    await expect.poll(() => own.admin.xlen(log)).toBe(2)
    for (let i = 0; i < 3; i++) await follower.nextLook()
    expect(await own.admin.xlen(log)).toBe(2)
    expect(follower.asked).toBe(2)
    await follower.stop()
  })

  it('is seen at the next primary, wherever it stood', async () => {
    const own = await redisOfTest()
    const { store, log } = setUp(own)
    const follower = followerOf(store, ['1', '2'])
    await follower.current()
    const [[first] = []] = await own.admin.xrange(log, '-', '+')
    await own.admin.xdel(log, first!)
    await becomeAnother(own)
    await expect.poll(() => own.admin.xlen(log)).toBe(2)
    await follower.stop()
  })

  it('is appended a page at a time, and from the beginning when it is lost meanwhile', async () => {
    const own = await redisOfTest()
    let underWay = 0
    let most = 0
    let appended = 0
    const client = watched(own, async (command, send) => {
      if (!runs(append, command)) return send()
      underWay += 1
      most = Math.max(most, underWay)
      const reply = await send().finally(() => {
        underWay -= 1
      })
      appended += 1
      if (appended === 1_024) await own.admin.flushall()
      return reply
    })
    const { store } = setUp(own, { client })
    const follower = followerOf(store, many)
    await follower.current()
    expect(most).toBe(512)
    expect(appended).toBe(1_024 + many.length)
    // All of it is there for one who comes late.
    const late = followerOf(store)
    await late.current()
    expect(new Set(late.entries)).toEqual(new Set(many))
    for (const { stop } of [follower, late]) await stop()
  })
})
