import { randomUUID } from 'node:crypto'
import { redisStore } from '@sallyport/server/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { followerOf } from '../../../support/follower.js'
import { patient, secret } from '../../../support/node.js'
import { type RedisServer, startRedis } from '../../../support/redis.js'

const keep = 60_000

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

function setUp() {
  const prefix = randomUUID()
  return { store: redisStore({ client: redis.client(), prefix, secret, timeout: patient }), log: `{${prefix}}:log` }
}

describe('what is over in the log', () => {
  /** Entries of a minute ago. */
  async function written(log: string, count: number, until: number) {
    const first = Date.now() - keep
    for (let i = 0; i < count; i++) await redis.admin.xadd(log, `${first}-*`, 'entry', '', 'until', until)
  }

  it('F15 I90 is swept out, also behind what is not, and nothing else', async () => {
    const { store, log } = setUp()
    await written(log, 40, Date.now() + keep)
    await written(log, 100, Date.now() - 1)
    for (let i = 1; i <= 3; i++) await store.append(`${i}`, keep)
    // With the last one that was over: whoever has not looked lately may stand on it.
    expect(await redis.admin.xlen(log)).toBe(44)
    for (const [, [, , , until]] of (await redis.admin.xrange(log, '-', '+')).slice(0, 40))
      expect(Number(until)).toBeGreaterThan(Date.now())
    // And round again.
    await redis.admin.del(log)
    await written(log, 100, Date.now() - 1)
    for (let i = 1; i <= 3; i++) await store.append(`${i}`, keep)
    expect(await redis.admin.xlen(log)).toBe(4)
  })

  it('I87 stays while somebody may stand on it, who would read the whole log again', async () => {
    const { store, log } = setUp()
    await written(log, 2, Date.now() - 1)
    const [, last] = await redis.admin.xrange(log, '-', '+')
    const follower = followerOf(store, ['1', '2'])
    await follower.current()
    for (const entry of ['3', '4', '5']) await store.append(entry, keep)
    expect((await redis.admin.xrange(log, '-', '+')).slice(0, 1)).toEqual([last])
    expect(follower.asked).toBe(1)
    await follower.stop()
  })
})
