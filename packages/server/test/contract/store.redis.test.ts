import { randomUUID } from 'node:crypto'
import { redisStore } from '@sallyport/server/redis'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { patient } from '../support/node.js'
import { passTime, type RedisServer, startRedis } from '../support/redis.js'
import { storeContract } from './store.js'

let server: RedisServer
let client: Redis
let clock: Redis

beforeAll(async () => {
  server = await startRedis()
  client = server.client({ enableAutoPipelining: true })
  clock = server.client()
})
afterAll(() => server.stop())

storeContract('redisStore', () => ({
  store: redisStore({ client, prefix: randomUUID(), timeout: patient }),
  advance: (ms) => passTime(clock, ms),
}))

storeContract('redisStore with a secret', () => ({
  store: redisStore({ client, prefix: randomUUID(), secret: 'x'.repeat(32), timeout: patient }),
  advance: (ms) => passTime(clock, ms),
}))
