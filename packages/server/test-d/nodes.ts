import type { CodeName } from '@sallyport/protocol'
import {
  type ConnectionLife,
  type ConnectionLimit,
  createGuard,
  type Guard,
  type GuardEvent,
  type GuardOptions,
  type Health,
  header,
  type Identity,
  type Places,
  type RevocationTarget,
  type Revoked,
  type Store,
  type StoreState,
  type Verifier,
} from '@sallyport/server'
import { type ClusterStoreOptions, clusterStore } from '@sallyport/server/cluster'
import {
  type PostgresPool,
  type PostgresStoreOptions,
  type postgresSchema,
  postgresStore,
} from '@sallyport/server/postgres'
import { type RedisClient, type RedisStoreOptions, redisStore } from '@sallyport/server/redis'
import type { Cluster, Redis } from 'ioredis'
import { Client, type Pool } from 'pg'
import { type Equals, expectFalse, expectTrue, type IsAny } from './types.js'

declare const verify: Verifier<Identity>
declare const redis: Redis
declare const cluster: Cluster
const accept = [header({ verify })] as const

// The clients of ioredis as they are, with no cast in between; and whatever else can send a command.
const client: RedisClient = redis
redisStore({ client })
redisStore({ client: redis })
redisStore({ client: cluster })
redisStore({ client: redis.duplicate() })
redisStore({ client: { call: async (command, ...args) => `${command} ${args.length}` } })
// @ts-expect-error: a client is needed
redisStore({})
// @ts-expect-error: a client is needed
redisStore()
// @ts-expect-error: the store opens no connection of its own
redisStore({ client: 'redis://127.0.0.1:6379' })
// @ts-expect-error: it cannot send a command
redisStore({ client: { get: async () => null } })
// @ts-expect-error: a reply comes later
redisStore({ client: { call: () => 'OK' } })

// Its options.
redisStore({ client, secret: 'text', prefix: 'staging', timeout: 200 })
redisStore({ client, secret: new Uint8Array(32) })
redisStore({ client, secret: ['newer', new Uint8Array(32)] })
redisStore({ client, secret: [] })
// @ts-expect-error: a secret that is not there; `??` says what to do then
redisStore({ client, secret: process.env.STORE_SECRET })
// @ts-expect-error: milliseconds
redisStore({ client, timeout: '500ms' })
// @ts-expect-error: no such option
redisStore({ client, keyPrefix: 'staging' })
declare const options: RedisStoreOptions
// @ts-expect-error: options are read, not written
options.timeout = 1
expectTrue<Equals<RedisStoreOptions['timeout'], number | undefined>>()

// It is a store like any other, and says nothing of the identities of a guard.
expectTrue<Equals<ReturnType<typeof redisStore>, Store>>()
const guard = createGuard({ accept, store: redisStore({ client }) })
expectTrue<Equals<typeof guard, Guard<Identity>>>()
// @ts-expect-error: a client is no store
createGuard({ accept, store: redis })

// How many connections an identity has on all nodes: both the number and what becomes of one more.
createGuard({ accept, connectionsPerIdentity: { max: 5, whenFull: 'replace' } })
createGuard({ accept, connectionsPerIdentity: { max: 5, whenFull: 'refuse' } })
// @ts-expect-error: what becomes of one more
createGuard({ accept, connectionsPerIdentity: { max: 5 } })
// @ts-expect-error: how many
createGuard({ accept, connectionsPerIdentity: { whenFull: 'refuse' } })
// @ts-expect-error: no such answer
createGuard({ accept, connectionsPerIdentity: { max: 5, whenFull: 'queue' } })
// @ts-expect-error: a number alone does not say it
createGuard({ accept, connectionsPerIdentity: 5 })
expectTrue<Equals<GuardOptions<typeof accept>['connectionsPerIdentity'], ConnectionLimit | undefined>>()
createGuard({ accept, connectionsPerIdentity: { max: 5, whenFull: 'refuse', whenUnavailable: 'count-own' } })
createGuard({ accept, connectionsPerIdentity: { max: 5, whenFull: 'refuse', whenUnavailable: 'refuse' } })
// @ts-expect-error: no such answer
createGuard({ accept, connectionsPerIdentity: { max: 5, whenFull: 'refuse', whenUnavailable: 'accept' } })
expectTrue<Equals<Places['whenFull'], 'refuse' | 'replace'>>()

// How long a node goes on alone.
createGuard({ accept, life: { maxStaleness: 60_000 } })
createGuard({ accept, life: {} })
// @ts-expect-error: milliseconds
createGuard({ accept, life: { maxStaleness: '1m' } })
// @ts-expect-error: no such option
createGuard({ accept, life: { staleness: 60_000 } })
expectTrue<Equals<ConnectionLife['maxStaleness'], number>>()

// What became of a revocation.
expectTrue<Equals<Parameters<typeof guard.revoke>, [target: RevocationTarget, reason?: string | undefined]>>()
expectTrue<Equals<ReturnType<typeof guard.revoke>, Promise<Revoked>>>()
expectTrue<Equals<Revoked, { readonly closed: number; readonly confirmed: number; readonly nodes: number }>>()
guard.revoke('all')
guard.revoke({ issuedBefore: 0 }, 'the key was stolen')
guard.revoke({ user: 'ada', tenant: 't1', issuedBefore: 0 }, 'left the company')
// @ts-expect-error: a reason is a text
guard.revoke({ session: 's1' }, { why: 'logged out' })
// @ts-expect-error: milliseconds since the epoch
guard.revoke({ issuedBefore: new Date() })
// @ts-expect-error: no such word
guard.revoke('everybody')

// How a node is.
expectTrue<Equals<typeof guard.health, Health>>()
expectTrue<Equals<Health, { readonly store: StoreState; readonly draining: boolean }>>()
expectTrue<Equals<StoreState, 'current' | 'stale' | 'unavailable'>>()
expectTrue<Equals<ReturnType<typeof guard.ready>, Promise<void>>>()
// @ts-expect-error: nobody sets how a node is
guard.health = { store: 'current', draining: false }
// @ts-expect-error: read, not written
guard.health.draining = true

// What those hear who subscribe.
guard.subscribe((event) => {
  if (event.type === 'store') {
    expectTrue<Equals<typeof event, { readonly type: 'store'; readonly state: StoreState }>>()
    // @ts-expect-error: the state of a store is that of no connection
    void event.connection
  }
  if (event.type === 'ended') {
    expectTrue<Equals<typeof event.code, CodeName>>()
    expectTrue<Equals<typeof event.reason, string | undefined>>()
    expectFalse<IsAny<typeof event.error>>()
  }
  // @ts-expect-error: a connection that has closed says no reason; the event before it did
  if (event.type === 'closed') void event.reason
})
expectTrue<
  Equals<GuardEvent['type'], 'accepted' | 'refused' | 'renewed' | 'recheck-failed' | 'ended' | 'closed' | 'store'>
>()

// What those hear who measure.
guard.measure((measurement) => {
  // @ts-expect-error: a ticket takes no time
  void measurement.duration
  if (measurement.type === 'verification') expectTrue<Equals<typeof measurement.duration, number>>()
  if (measurement.type === 'decision') {
    expectTrue<Equals<typeof measurement.outcome, 'accepted' | 'waiting' | 'refused'>>()
  }
})
expectTrue<Equals<typeof guard.pending, number>>()

// No way to another node but the store.
expectFalse<IsAny<Store>>()
expectTrue<Equals<keyof Store, 'put' | 'take' | 'count' | 'acquire' | 'release' | 'append' | 'follow'>>()

// PostgreSQL: the pools of pg as they are, and whatever else can lend a connection.
declare const pgPool: Pool
const pool: PostgresPool = pgPool
postgresStore({ pool })
postgresStore({ pool: pgPool, schema: 'staging', secret: ['newer', new Uint8Array(32)], timeout: 200 })
expectTrue<Equals<ReturnType<typeof postgresStore>, Store>>()
expectTrue<Equals<ReturnType<typeof postgresSchema>, string>>()
expectTrue<Equals<keyof PostgresStoreOptions, 'pool' | 'schema' | 'secret' | 'timeout' | 'clock'>>()
// @ts-expect-error: a pool is needed
postgresStore({})
// @ts-expect-error: the store opens no connection of its own
postgresStore({ pool: 'postgres://localhost' })
// @ts-expect-error: one connection is no pool
postgresStore({ pool: new Client() })
// @ts-expect-error: no such option
postgresStore({ pool, prefix: 'staging' })

// One machine: nothing is needed.
clusterStore()
clusterStore({ folder: '/run/app', timeout: 200 })
expectTrue<Equals<ReturnType<typeof clusterStore>, Store>>()
expectTrue<Equals<keyof ClusterStoreOptions, 'folder' | 'timeout' | 'clock'>>()
// @ts-expect-error: whoever can enter the folder is the user
clusterStore({ secret: 'x' })
