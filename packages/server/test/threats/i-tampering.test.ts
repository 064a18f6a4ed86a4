import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '@sallyport/server'
import { type RedisClient, type RedisStoreOptions, redisStore } from '@sallyport/server/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../../src/stores/redis/scripts.js'
import { fresh } from '../support/claims.js'
import { followerOf } from '../support/follower.js'
import { patient, secret, startNode } from '../support/node.js'
import { passTime, type RedisServer, redisOfTest, startRedis } from '../support/redis.js'

const keep = 60_000
const timeout = 15_000

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** Some nodes on keys of their own. */
function setUp(options: Partial<RedisStoreOptions> = {}) {
  const prefix = randomUUID()
  const node = (client: RedisClient = redis.client()) =>
    redisStore({ client, prefix, secret, timeout: patient, ...options })
  return { node, log: `{${prefix}}:log`, keyOf: (name: string) => `{${prefix}}:${name}` }
}

/** A clock that can be put forward. */
function movableClock() {
  let ahead = 0
  const clock: Clock = { now: () => Date.now() + ahead, after: systemClock.after }
  const nextMinute = () => {
    ahead += 60_000
  }
  return { clock, nextMinute }
}

describe('I24 what is sealed ends, whoever writes it again', { timeout }, () => {
  it('I24 a ticket that nobody used', async () => {
    const { node, keyOf } = setUp()
    const [one, other] = [node(), node()]
    // From then on it knows the time of Redis well.
    const follower = followerOf(one)
    for (let i = 0; i < 3; i++) await follower.nextLook()
    for (const ms of [200, keep]) {
      await one.put(`t${ms}`, 'value', ms)
      const sealed = await redis.admin.get(keyOf(`t${ms}`))
      await passTime(redis.admin, 300)
      await redis.admin.set(keyOf(`t${ms}`), sealed!)
      expect(await other.take(`t${ms}`)).toBe(ms === keep ? 'value' : undefined)
    }
    await follower.stop()
  })

  it('I24 an entry of the log', async () => {
    const { node, log } = setUp()
    const store = node()
    const early = followerOf(store)
    for (let i = 0; i < 3; i++) await early.nextLook()
    await store.append('short', 200)
    await store.append('long', keep)
    await early.stop()
    const entries = await redis.admin.xrange(log, '-', '+')
    await passTime(redis.admin, 300)
    await redis.admin.del(log)
    for (const [, [, sealed]] of entries) await redis.admin.xadd(log, '*', 'entry', sealed!, 'until', '9999999999999')
    const follower = followerOf(store)
    await follower.current()
    expect(follower.entries).toEqual(['long'])
    await follower.stop()
  })
})

describe('I25 an entry that somebody takes out of the log', { timeout }, () => {
  it('I25 is back within a minute, for nodes that start later', async () => {
    const { clock, nextMinute } = movableClock()
    const { node, log } = setUp({ clock })
    const store = node()
    const follower = followerOf(store, ['1', '2'])
    await follower.current()
    const [[first] = []] = await redis.admin.xrange(log, '-', '+')
    await redis.admin.xdel(log, first!)
    for (let i = 0; i < 2; i++) await follower.nextLook()
    expect(await redis.admin.xlen(log)).toBe(1)
    nextMinute()
    await expect.poll(() => redis.admin.xlen(log), { timeout: patient }).toBe(2)
    const late = followerOf(node())
    await late.current()
    expect(new Set(late.entries)).toEqual(new Set(['1', '2']))
    for (const { stop } of [follower, late]) await stop()
  })

  it('I25 is looked for page by page, and what is there or over is not given back', async () => {
    const { clock, nextMinute } = movableClock()
    const { node, log } = setUp({ clock })
    const client = redis.client()
    const asked: number[] = []
    const watched: RedisClient = {
      async call(...command) {
        const reply = await client.call(...command)
        if (command[1] === missing.sha || command[1] === missing.source) asked.push(command.length - 4)
        return reply
      },
    }
    const store = node(watched)
    const many = Array.from({ length: 1_100 }, (_, i) => `${i}`)
    await Promise.all(many.map((entry) => store.append(entry, 3_600_000)))
    const follower = followerOf(store)
    await follower.current()
    await store.append('short', 300)
    const [[short] = []] = await redis.admin.xrevrange(log, '+', '-', 'COUNT', 1)
    await store.append('last', 3_600_000)
    await passTime(redis.admin, 400)
    await redis.admin.xdel(log, short!)
    for (let minute = 1; minute <= 4; minute++) {
      nextMinute()
      await expect.poll(() => asked.length, { timeout: patient }).toBe(minute)
    }
    expect(asked).toEqual([512, 512, 77, 512])
    expect(follower.asked).toBe(1)
    expect(await redis.admin.xlen(log)).toBe(many.length + 1)
    await follower.stop()
  })
})

describe('I26 a log that is whole', { timeout: 30_000 }, () => {
  it('I26 is as it was, whoever starts first, and leaves the words of other versions alone', async () => {
    const own = await redisOfTest()
    const node = await startNode(own)
    await node.guard.revoke({ issuedBefore: Date.now(), user: 'eve' }, 'left')
    await node.guard.revoke({ session: 's7' })
    await node.guard.revoke('all')
    const newer = redisStore({ client: own.client(), secret })
    await newer.append(JSON.stringify({ v: 9, target: { user: 'zoe', planet: 3 }, at: Date.now() }), keep)
    await node.guard.drain({ within: 0 })
    const whole = await own.admin.xrange('{sallyport}:log', '-', '+')
    expect(whole).toHaveLength(4)
    for (let i = 0; i < 2; i++) {
      const first = await startNode(own)
      await expect(first.connect(fresh({ session: 's7' }))).rejects.toThrow('401')
      expect(await own.admin.xrange('{sallyport}:log', '-', '+')).toEqual(whole)
      await first.guard.drain({ within: 0 })
    }
    // And is given back in the same words.
    const last = await startNode(own)
    await own.admin.flushall()
    await expect.poll(() => own.admin.xlen('{sallyport}:log'), { timeout: patient }).toBe(4)
    const given = await own.admin.xrange('{sallyport}:log', '-', '+')
    const words = (entries: typeof whole) => entries.map(([, [, sealed]]) => sealed!.slice(sealed!.indexOf('{'))).sort()
    expect(words(given)).toEqual(words(whole))
    await last.guard.drain({ within: 0 })
  })
})

describe('I27 a used ticket that is written back byte for byte', { timeout }, () => {
  it('I27 opens nothing on a node that has redeemed it, and is what SECURITY.md says on another', async () => {
    const { node, keyOf } = setUp()
    const [one, other] = [node(), node()]
    await one.put('t', 'value', keep)
    const sealed = (await redis.admin.get(keyOf('t')))!
    expect(await other.take('t')).toBe('value')
    for (let i = 0; i < 2; i++) {
      await redis.admin.set(keyOf('t'), sealed)
      expect(await other.take('t')).toBeUndefined()
      // And is burnt all the same.
      expect(await redis.admin.exists(keyOf('t'))).toBe(0)
    }
    await redis.admin.set(keyOf('t'), sealed)
    expect(await one.take('t')).toBe('value')
    await redis.admin.set(keyOf('t'), sealed)
    expect(await one.take('t')).toBeUndefined()
  })
})

describe('I23 a node that is silent', { timeout }, () => {
  /** Two nodes, of which one can be cut off. */
  async function cutOff(maxStaleness: number) {
    const { node, keyOf } = setUp()
    const client = redis.client()
    let isCut = false
    const cable: RedisClient = {
      call: (...command) => (isCut ? Promise.reject(new Error('Connection is closed.')) : client.call(...command)),
    }
    const store = node()
    const here = followerOf(store)
    const there = followerOf(node(cable), [], maxStaleness)
    await Promise.all([here.current(), there.current()])
    expect(await store.append('before', keep)).toEqual({ confirmed: 2, followers: 2 })
    isCut = true
    const stop = async () => {
      isCut = false
      await Promise.all([here.stop(), there.stop()])
    }
    return { store, keyOf, stop }
  }

  it('I23 counts for as long as it goes on by what it knows, and no longer', async () => {
    const { store, keyOf, stop } = await cutOff(3_000)
    const cutAt = Date.now()
    expect(await store.append('meanwhile', keep)).toEqual({ confirmed: 1, followers: 2 })
    await passTime(redis.client(), cutAt + 3_001 - Date.now())
    expect(await store.append('after', keep)).toEqual({ confirmed: 1, followers: 1 })
    expect(await redis.admin.hlen(keyOf('nodes'))).toBe(1)
    await stop()
  })

  it('I23 counts for five minutes unless its guard is told otherwise', async () => {
    const own = await redisOfTest()
    const lives = [undefined, { maxStaleness: 60_000 }, { maxStaleness: 0 }]
    const ends: number[] = []
    for (const life of lives) {
      const node = await startNode(own, life && { life })
      const [end] = Object.values(await own.admin.hgetall('{sallyport}:nodes'))
      ends.push(Number(end!.split(' ')[0]) - Date.now())
      await node.guard.drain({ within: 0 })
      expect(await own.admin.exists('{sallyport}:nodes')).toBe(0)
    }
    // What is current goes on for two seconds in any case.
    for (const [i, ms] of [300_000, 60_000, 2_000].entries()) {
      expect(ends[i]).toBeLessThanOrEqual(ms)
      expect(ends[i]).toBeGreaterThan(ms - 1_500)
    }
  })
})
