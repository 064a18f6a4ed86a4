import { randomUUID } from 'node:crypto'
import { ConfigurationError, UnavailableError } from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testClock } from '../../../support/clock.js'
import { followerOf } from '../../../support/follower.js'
import { secret } from '../../../support/node.js'
import { becomeAnother, type RedisServer, redisOfTest, startRedis } from '../../../support/redis.js'
import { warningsOfTest } from '../../../support/warnings.js'

const ttl = 60_000
const places = { max: 2, whenFull: 'refuse' } as const

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** A store of its own on the server of this file. */
function setUp() {
  const prefix = randomUUID()
  const store = redisStore({ client: redis.client(), prefix, secret })
  return { store, keyOf: (name: string) => `{${prefix}}:${name}` }
}

describe('redisStore', { timeout: 5_000 }, () => {
  it.each(['', 'a b', 'a{b', 'a}b', 'a\n', 'ä', '*'])(
    'takes no prefix that does not hold keys together: %j',
    (prefix) => {
      const client = redis.client()
      expect(() => redisStore({ client, prefix, secret })).toThrow(ConfigurationError)
      expect(redisStore({ client, prefix: 'A.b:c_d-1', secret })).toBeDefined()
    },
  )

  it('C18 I19 has all its keys under its prefix, in one slot', async () => {
    const own = await redisOfTest()
    const store = redisStore({ client: own.client(), secret })
    await store.put('ticket:a', 'value', ttl)
    await store.count('failures:a', 'm', ttl)
    await store.acquire('places:a', 'm', places, ttl)
    const follower = followerOf(store)
    await store.append('entry', ttl)
    await follower.has('entry')
    const keys = await own.admin.keys('*')
    expect(keys.sort()).toEqual(
      ['failures:a', 'log', 'nodes', 'places:a:ends', 'places:a:order', 'ticket:a'].map((key) => `{sallyport}:${key}`),
    )
    await follower.stop()
  })

  it('C16 puts nothing over what is there', async () => {
    const { store } = setUp()
    await store.put('k', 'first', ttl)
    await expect(store.put('k', 'second', ttl)).rejects.toThrow('in use')
    expect(await store.take('k')).toBe('first')
  })

  it('lets every key end by itself, and none before its last member', async () => {
    const { store, keyOf } = setUp()
    await store.put('k', 'value', ttl)
    await store.acquire('g', 'long', places, ttl)
    await store.acquire('g', 'short', places, 50)
    await store.count('c', 'a', ttl)
    // The time of the first counts.
    await store.count('c', 'b', 10 * ttl)
    for (const key of ['k', 'g:order', 'g:ends', 'c']) {
      const left = await redis.admin.pttl(keyOf(key))
      expect(left).toBeLessThanOrEqual(ttl)
      expect(left).toBeGreaterThan(ttl / 2)
    }
  })

  it('I21 gives a command 500 ms unless it is told otherwise', async () => {
    const clock = testClock()
    const client = { call: () => new Promise<never>(() => {}) }
    for (const [options, timeout] of [[{}, 500] as const, [{ timeout: 70 }, 70] as const]) {
      let isOver = false
      const taking = Promise.resolve(redisStore({ client, secret, clock, ...options }).take('k'))
      const over = taking.catch((error: unknown) => {
        isOver = true
        return error
      })
      clock.advance(timeout - 1)
      await new Promise((resolve) => setImmediate(resolve))
      expect(isOver).toBe(false)
      clock.advance(1)
      expect(await over).toBeInstanceOf(UnavailableError)
    }
  })

  it('does not say what it holds when that is no JSON', async () => {
    warningsOfTest()
    const redis = await redisOfTest()
    const store = redisStore({ client: redis.client() })
    await store.put('k', 'value', ttl)
    const written = await redis.admin.get('{sallyport}:k')
    await redis.admin.set('{sallyport}:k', `${written}`.replace('"value"', 'secret{'), 'PX', ttl)
    await expect(store.take('k')).rejects.toThrow(/^Redis holds a value that is no JSON$/)
    await store.put('l', 'value', ttl)
    expect(await store.take('l')).toBe('value')
  })

  it('says that it has no secret, and nothing when it has one', async () => {
    const warnings = warningsOfTest()
    const client = redis.client()
    redisStore({ client, secret })
    expect(await warnings()).toEqual([])
    for (const none of [{}, { secret: [] }]) redisStore({ client, ...none })
    const told = expect.stringContaining('give it a secret')
    expect(await warnings()).toEqual([told, told])
  })
})

describe('what a primary holds', { timeout: 5_000 }, () => {
  it('I03 is no ticket any more under another primary, and new ones are good', async () => {
    const own = await redisOfTest()
    const store = redisStore({ client: own.client(), secret })
    const follower = followerOf(store)
    await follower.current()
    for (const key of ['before', 'across']) await store.put(key, 'value', ttl)
    expect(await store.take('before')).toBe('value')
    await becomeAnother(own)
    expect(await own.admin.keys('*across')).toHaveLength(1)
    expect(await store.take('across')).toBeUndefined()
    // Those who follow learn whose tickets they make.
    await expect
      .poll(async () => {
        const key = randomUUID()
        await store.put(key, 'value', ttl)
        return store.take(key)
      })
      .toBe('value')
    await follower.stop()
  })

  it('I11 is not believed of a replica, even of one that can be written to', async () => {
    const own = await redisOfTest(['replica-read-only no'])
    const store = redisStore({ client: own.client(), secret })
    const follower = followerOf(store)
    await follower.current()
    await store.put('k', 'value', ttl)
    await own.admin.replicaof('127.0.0.1', own.port + 1)
    await follower.nextLook()
    const { currentAt } = follower.following
    await expect(store.take('k')).rejects.toThrow('Redis answered READONLY')
    await expect(redisStore({ client: own.client(), secret }).put('l', 'value', ttl)).rejects.toThrow('READONLY')
    await follower.nextLook()
    expect(follower.following.currentAt).toBe(currentAt)
    await own.admin.replicaof('NO', 'ONE')
    await expect.poll(() => follower.following.currentAt).not.toBe(currentAt)
    await follower.stop()
  })

  it('I12 is not relied on while it may be thrown away, and the operator is told once', async () => {
    const own = await redisOfTest(['maxmemory 50mb', 'maxmemory-policy allkeys-lru'])
    const warnings = warningsOfTest()
    const store = redisStore({ client: own.client(), secret })
    const follower = followerOf(store)
    await expect(store.put('k', 'value', ttl)).rejects.toThrow(UnavailableError)
    await follower.nextLook()
    await follower.nextLook()
    expect(follower.following.currentAt).toBeUndefined()
    expect(await warnings()).toEqual([expect.stringContaining('maxmemory-policy is allkeys-lru')])
    await own.admin.config('SET', 'maxmemory-policy', 'noeviction')
    await follower.current()
    await store.put('k', 'value', ttl)
    expect(await store.take('k')).toBe('value')
    await follower.stop()
  })
})
