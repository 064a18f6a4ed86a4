import { setImmediate as nextTurn } from 'node:timers/promises'
import { hash, UnavailableError } from '@sallyport/server'
import { type PostgresPool, postgresSchema, postgresStore } from '@sallyport/server/postgres'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statementsOn } from '../../src/stores/postgres/statements.js'
import { cableOfTest } from '../support/cable.js'
import { credentialOf, fresh } from '../support/claims.js'
import { deferred } from '../support/deferred.js'
import { followerOf } from '../support/follower.js'
import { patient, type Shared, secret, startNode, stateOf, ticketOf } from '../support/node.js'
import { type PostgresServer, passTime, postgresOfTest, replicaOf, startPostgres } from '../support/postgres.js'
import { warningsOfTest } from '../support/warnings.js'

const keep = 60_000
const timeout = 60_000

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
}, timeout)
afterAll(() => server.stop())

/** Tables of their own on the server of this file, and stores on them. */
async function setUp(pool: PostgresPool = server.pool()) {
  const schema = await server.schema()
  const store = (options: object = {}) => postgresStore({ pool, schema, secret, timeout: patient, ...options })
  const shared: Shared = { store }
  return { schema, store, shared, rows: (table: string) => rowsOf(server.admin, `${schema}.${table}`) }
}

async function rowsOf(pool: Pool, table: string): Promise<Record<string, unknown>[]> {
  return (await pool.query(`SELECT * FROM ${table}`)).rows
}

describe('what a PostgreSQL forgets', { timeout }, () => {
  it('I60 in a crash is every ticket, so that none is good twice, and no revocation', async () => {
    const own = await postgresOfTest()
    const node = await startNode(own)
    const [used, unused] = [await node.issue(), await node.issue()]
    expect(await (await node.redeem(used.ticket)).text()).toBe('hello ada')
    await node.guard.revoke({ user: 'eve' })
    await own.kill()
    await stateOf(node, 'stale')
    await own.restart()
    await stateOf(node, 'current')
    for (const { ticket } of [used, unused]) await expect(node.redeem(ticket)).rejects.toThrow('401')
    expect(await rowsOf(own.admin, 'sallyport.log')).toHaveLength(1)
    const late = await startNode(own)
    await expect(late.connect(fresh({ id: 'eve', issuedAt: Date.now() - keep }))).rejects.toThrow('401')
    const after = await node.issue()
    expect(await (await late.redeem(after.ticket)).text()).toBe('hello ada')
  })

  it('I03 I04 in a failover is every ticket, and what a node knows is given back', async () => {
    const primary = await postgresOfTest()
    const replica = await replicaOf(primary)
    const pools = [primary.pool(), replica.pool()] as const
    let now: Pool = pools[0]
    const pool: PostgresPool = {
      connect: () => now.connect(),
      on: (event, listener) => pools.map((each) => each.on(event, listener)),
    }
    const node = await startNode({ store: (options) => primary.store({ pool, ...options }) })
    const { ticket } = await node.issue()
    await replica.admin.query('SELECT pg_wal_replay_pause()')
    await node.guard.revoke({ user: 'eve' })
    expect(await rowsOf(replica.admin, 'sallyport.log')).toEqual([])
    await primary.kill()
    await stateOf(node, 'stale')
    now = pools[1]
    // What it has not replayed is lost, as where it never came.
    await replica.admin.query('SELECT pg_promote(true, 30)')
    await stateOf(node, 'current')
    await expect(node.redeem(ticket)).rejects.toThrow('401')
    const late = await startNode(replica)
    await expect(late.connect(fresh({ id: 'eve', issuedAt: Date.now() - keep }))).rejects.toThrow('401')
    expect(await (await late.redeem((await node.issue()).ticket)).text()).toBe('hello ada')
  })

  it('I13 by somebody who empties its tables is given back', async () => {
    const { schema, shared } = await setUp()
    const [node, other] = [await startNode(shared), await startNode(shared)]
    await node.guard.revoke({ user: 'eve' })
    await server.admin.query(`TRUNCATE ${schema}.log, ${schema}.log_head, ${schema}.nodes`)
    await other.guard.revoke({ user: 'somebody' })
    const late = await startNode(shared)
    await expect(late.connect(fresh({ id: 'eve', issuedAt: Date.now() - keep }))).rejects.toThrow('401')
    expect(await (await late.connect()).text()).toBe('hello ada')
  })

  it('I25 by somebody who takes an entry out is looked for each minute', async () => {
    let ahead = 0
    const { schema, store, rows } = await setUp()
    const clock = { now: () => Date.now() + ahead, after: systemAfter }
    const follower = followerOf(store({ clock }), ['1', '2'])
    await follower.current()
    await server.admin.query(`DELETE FROM ${schema}.log WHERE id = 1`)
    await follower.nextLook()
    expect(await rows('log')).toHaveLength(1)
    ahead += keep
    await expect.poll(() => rows('log'), { timeout: patient }).toHaveLength(2)
    await follower.stop()
  })

  it('I68 is what is over, and nothing else', async () => {
    let ahead = 0
    const { schema, store, rows } = await setUp()
    const clock = { now: () => Date.now() + ahead, after: systemAfter }
    const own = store({ clock })
    const follower = followerOf(own)
    await follower.current()
    const places = { max: 2, whenFull: 'refuse' } as const
    for (const [name, ttl] of [['short', 1] as const, ['long', keep] as const]) {
      await own.put(name, 'value', ttl)
      await own.count(name, 'm', ttl)
      await own.acquire(name, 'm', places, ttl)
      await own.append(name, ttl)
    }
    await server.admin.query(`INSERT INTO ${schema}.nodes VALUES ('dead', DEFAULT, 1, 0, now(), now())`)
    await passTime(server.admin, 2)
    ahead += keep
    await expect.poll(() => rows('items'), { timeout: patient }).toMatchObject([{ key: 'long' }])
    expect(await rows('counters')).toMatchObject([{ key: 'long' }])
    expect(await rows('places')).toMatchObject([{ name: 'long' }])
    expect(await rows('log')).toMatchObject([{ id: '2' }])
    expect(await rows('nodes')).toHaveLength(1)
    await follower.stop()
  })
})

describe('what a PostgreSQL takes out of its log', { timeout }, () => {
  it('I87 is not what a node stands on, which would read all of it again', async () => {
    let ahead = 0
    const { schema, store, rows } = await setUp()
    const own = store({ clock: { now: () => Date.now() + ahead, after: systemAfter } })
    const follower = followerOf(own)
    await follower.current()
    for (const entry of ['over', 'long', 'short']) await own.append(entry, entry === 'long' ? keep : 1)
    const ids = async () => (await rows('log')).map(({ id }) => id)
    /** A minute later. */
    const sweep = async (left: string[]) => {
      await passTime(server.admin, 2)
      ahead += keep
      await expect.poll(ids, { timeout: patient }).toEqual(left)
      for (let i = 0; i < 2; i++) await follower.nextLook()
    }
    await sweep(['2', '3'])
    // One that is awake, and has not come to the next.
    await server.admin.query(
      `INSERT INTO ${schema}.nodes VALUES ('slow', DEFAULT, 3, 0, now(), now() + interval '1 minute')`,
    )
    await server.admin.query(statementsOn(`"${schema}"`).append, [[Buffer.from('by hand')], [1]])
    await server.admin.query(`INSERT INTO ${schema}.counters VALUES ('over', '{}', now())`)
    await passTime(server.admin, 2)
    ahead += keep
    await expect.poll(() => rows('counters'), { timeout: patient }).toEqual([])
    expect(await ids()).toEqual(['2', '3', '4'])
    await server.admin.query(`DELETE FROM ${schema}.nodes WHERE id = 'slow'`)
    await sweep(['2', '4'])
    expect(follower.entries.filter((entry) => entry === 'long')).toHaveLength(1)
    expect(follower.asked).toBe(1)
    await follower.stop()
  })
})

describe('a PostgreSQL that is in the way', { timeout }, () => {
  it('I61 whose pool is exhausted: tickets get 503 in time, revocations come all the same', async () => {
    const pool = server.pool({ max: 3 })
    const { shared } = await setUp(pool)
    const node = await startNode(shared, { store: { timeout: 500 } })
    const live = await node.connect()
    const taken = [await pool.connect(), await pool.connect()]
    expect((await node.issue()).status).toBe(503)
    const other = await startNode(await elsewhere(shared))
    await other.guard.revoke({ user: 'ada' })
    expect((await live.closed).code).toBe(4010)
    expect(node.guard.health.store).toBe('current')
    for (const client of taken) client.release()
    await ticketOf(node, fresh({ id: 'zoe' }))
    // What nobody waited for any more was not put.
    expect(pool.waitingCount).toBe(0)
  })

  it('I62 whose connections are dead without a word: they are given up, and others opened', async () => {
    const cable = await cableOfTest(server.port)
    const pool = server.pool({ port: cable.port })
    const { shared } = await setUp(pool)
    const node = await startNode(shared, { store: { timeout: 500 } })
    await ticketOf(node)
    cable.strand()
    await stateOf(node, 'stale')
    await stateOf(node, 'current')
    await ticketOf(node)
    await expect.poll(() => pool.totalCount - pool.idleCount, { timeout: patient }).toBe(1)
  })

  it('I92 that has closed the connection of two guards: both go on by one other, and leave none behind', async () => {
    const pool = server.pool({ application_name: 'of two guards' })
    const { store } = await setUp(pool)
    const own = store()
    const followers = [followerOf(own), followerOf(own)]
    for (const follower of followers) await follower.current()
    const isTaken = () => pool.totalCount - pool.idleCount
    await expect.poll(isTaken, { timeout: patient }).toBe(1)
    const end = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1'
    await server.admin.query(end, ['of two guards'])
    await expect.poll(() => pool.idleCount, { timeout: patient }).toBe(0)
    // Which lets both look at once.
    expect(await own.append('1', keep)).toEqual({ confirmed: 2, followers: 2 })
    await expect.poll(isTaken, { timeout: patient }).toBe(1)
    for (const follower of followers) await follower.stop()
    await expect.poll(isTaken, { timeout: patient }).toBe(0)
  })

  it('I65 whose table is locked: statements end in time, and keep no connection', async () => {
    const { schema, shared } = await setUp()
    const node = await startNode(shared, { store: { timeout: 500 } })
    const holder = await server.admin.connect()
    await holder.query(`BEGIN; LOCK ${schema}.items, ${schema}.nodes`)
    expect((await node.issue()).status).toBe(503)
    await stateOf(node, 'stale')
    const waiting = "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    expect((await server.admin.query(waiting)).rows[0].count).toBeLessThan(10)
    await holder.query('COMMIT')
    holder.release()
    await stateOf(node, 'current')
    await ticketOf(node)
  })

  it('I66 on whose way nothing is notified, as PgBouncer: a revocation comes within a second', async () => {
    const pool = server.pool()
    const deaf: PostgresPool = {
      on: (event, listener) => pool.on(event, listener),
      async connect() {
        const client = await pool.connect()
        return {
          query: (statement) => client.query(statement),
          release: (destroy) => client.release(destroy),
          on: (event: string) => expect(['error', 'notification']).toContain(event),
        }
      },
    }
    const { shared } = await setUp(deaf)
    const [here, there] = [await startNode(shared), await startNode(shared)]
    const live = await there.connect()
    const start = performance.now()
    expect(await here.guard.revoke({ user: 'ada' })).toMatchObject({ confirmed: 2, nodes: 2 })
    expect((await live.closed).code).toBe(4010)
    expect(performance.now() - start).toBeLessThan(1_000)
  })

  it.each([
    ['26000', 'is not there'],
    ['42P05', 'is there already'],
  ])('I81 that lends another connection for each statement: answers %s, it %s, and nothing is lost', async (code) => {
    const pool = server.pool()
    const asked: (string | undefined)[] = []
    const lending: PostgresPool = {
      on: (event, listener) => pool.on(event, listener),
      async connect() {
        const client = await pool.connect()
        return {
          async query(statement) {
            asked.push(statement.name)
            if (statement.name === undefined) return client.query(statement)
            throw Object.assign(new Error('prepared statement'), { severity: 'ERROR', code })
          },
          release: (destroy) => client.release(destroy),
          on: client.on.bind(client),
        }
      },
    }
    const { store } = await setUp(lending)
    const own = store()
    await own.put('k', 'value', keep)
    expect(await own.take('k')).toBe('value')
    // Tried once, and again without; from then on without.
    expect(asked.filter((name) => name !== undefined)).toHaveLength(1)
    const { store: other } = await setUp(pool)
    const direct = other()
    await direct.put('k', 'value', keep)
    expect(await direct.take('k')).toBe('value')
    const prepared = 'SELECT count(*)::int FROM pg_prepared_statements'
    expect((await pool.query(prepared)).rows[0].count).toBeGreaterThan(0)
  })

  it.each([
    ['lost to thirty others', 30, true],
    ['always lost', Number.POSITIVE_INFINITY, false],
  ])(
    'I82 where a race for a row is %s: a statement is tried again until its time is over',
    async (_, losses, isWon) => {
      const pool = server.pool()
      let left = losses
      const losing: PostgresPool = {
        on: (event, listener) => pool.on(event, listener),
        async connect() {
          const client = await pool.connect()
          return {
            async query(statement) {
              await nextTurn()
              left -= 1
              if (left < 0) return client.query(statement)
              throw Object.assign(new Error('could not serialize access'), { severity: 'ERROR', code: '40001' })
            },
            release: (destroy) => client.release(destroy),
            on: client.on.bind(client),
          }
        },
      }
      const { store } = await setUp(losing)
      const direct = store({ pool })
      await direct.put('k', 'value', keep)
      const taken = store().take('k')
      if (isWon) expect(await taken).toBe('value')
      else await expect(taken).rejects.toThrow(UnavailableError)
      expect(await direct.take('k')).toBe(isWon ? undefined : 'value')
    },
  )

  it('I11 that is a replica, or read-only: nothing of it is believed', async () => {
    const own = await postgresOfTest()
    const node = await startNode(own)
    const ticket = await ticketOf(node)
    const set = (value: string) =>
      own.admin
        .query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
        .then(() => own.admin.query('SELECT pg_reload_conf()'))
    await set('on')
    await stateOf(node, 'stale')
    await expect(node.redeem(ticket)).rejects.toThrow('503')
    const client = await own.admin.connect()
    await client.query('SET default_transaction_read_only = off')
    await client.query('ALTER SYSTEM RESET default_transaction_read_only')
    await client.query('SELECT pg_reload_conf()')
    client.release()
    await stateOf(node, 'current')
    expect(await (await node.redeem(ticket)).text()).toBe('hello ada')
  })

  it('I10 by whose clock a node is wrong by minutes: tickets and revocations go by its own', async () => {
    for (const minutes of [-5, 5]) {
      const { shared } = await setUp()
      const clock = { now: () => Date.now() + minutes * 60_000, after: systemAfter }
      const [right, wrong] = [await startNode(shared), await startNode(shared, { store: { clock }, clock })]
      const timeless = { id: 'ada', session: 's1' }
      const [here, there] = [await right.connect(timeless), await wrong.connect(timeless)]
      const issued = await wrong.issue(timeless)
      await wrong.guard.revoke({ user: 'ada' })
      expect(await Promise.all([here.closed, there.closed])).toMatchObject([{ code: 4010 }, { code: 4010 }])
      await expect(right.redeem(issued.ticket)).rejects.toThrow('401')
      // As soon as it is later by any clock.
      await expect.poll(async () => (await wrong.issue(timeless)).status, { timeout: patient }).toBe(201)
      const later = await wrong.issue(timeless)
      expect(await (await right.redeem(later.ticket)).text()).toBe('hello ada')
    }
  })
})

describe('the log in PostgreSQL', { timeout }, () => {
  it('I63 gives no number that can be seen before a smaller one', async () => {
    const { schema, store } = await setUp()
    const own = store()
    const follower = followerOf(own)
    await follower.current()
    const slow = await server.admin.connect()
    await slow.query('BEGIN')
    // Written by hand, and so passed over; but it holds the first number until it is committed.
    await slow.query(statementsOn(`"${schema}"`).append, [[Buffer.from('by hand')], [keep]])
    const appending = own.append('second', keep)
    for (let i = 0; i < 2; i++) await follower.nextLook()
    expect(follower.entries).toEqual([])
    await slow.query('COMMIT')
    slow.release()
    expect(await appending).toEqual({ confirmed: 1, followers: 1 })
    const ids = (await server.admin.query(`SELECT id FROM ${schema}.log ORDER BY id`)).rows
    expect(ids).toEqual([{ id: '1' }, { id: '2' }])
    await follower.stop()
  })

  it('I69 confirms nothing that its own nodes do not have, also where their rows are gone', async () => {
    const pool = server.pool()
    let gate: Promise<void> | undefined
    const gated: PostgresPool = {
      on: (event, listener) => pool.on(event, listener),
      async connect() {
        const client = await pool.connect()
        return {
          async query(statement) {
            if (statement.text.includes('told AS')) await gate
            return client.query(statement)
          },
          release: (destroy) => client.release(destroy),
          on: client.on.bind(client),
        }
      },
    }
    const { schema, store } = await setUp(gated)
    const own = store()
    const follower = followerOf(own)
    await follower.current()
    const opened = deferred()
    gate = opened.promise
    // A look that is under way comes to its end.
    await passTime(server.admin, 100)
    await server.admin.query(`TRUNCATE ${schema}.nodes`)
    let isConfirmed = false
    const appending = own.append('1', keep).finally(() => {
      isConfirmed = true
    })
    await passTime(server.admin, 200)
    expect(isConfirmed).toBe(false)
    opened.resolve()
    expect(await appending).toEqual({ confirmed: 1, followers: 1 })
    expect(follower.entries).toEqual(['1'])
    await follower.stop()
  })

  it('I64 has its tables made by ten nodes at once', async () => {
    const schema = 'ten_nodes'
    const pools = Array.from({ length: 10 }, () => server.pool({ max: 1 }))
    await Promise.all(pools.map((pool) => pool.query(postgresSchema(schema))))
    const store = postgresStore({ pool: pools[0]!, schema, secret })
    await store.put('k', 'value', keep)
    expect(await store.take('k')).toBe('value')
    await expect(postgresStore({ pool: pools[0]!, schema: 'none', secret }).take('k')).rejects.toThrow(
      'PostgreSQL answered 42P01: there are no tables; run postgresSchema()',
    )
  })

  it('C16 C18 I20 I24 I27 believes what its nodes wrote, under its key and until its end, and once on each node', async () => {
    const warnings = warningsOfTest()
    const { schema, store, rows } = await setUp()
    const [one, other] = [store(), store()]
    const follower = followerOf(one)
    await follower.current()
    await one.put('k', 'value', keep)
    const [written] = await rows('items')
    const putBack = (key: string, value: unknown) =>
      server.admin.query(`INSERT INTO ${schema}.items VALUES ($1, $2, now() + interval '1 minute')`, [key, value])
    expect(await other.take('k')).toBe('value')
    await putBack('k', written!.value)
    expect(await other.take('k')).toBeUndefined()
    await putBack('l', written!.value)
    expect(await one.take('l')).toBeUndefined()
    await putBack('k', Buffer.from(`${'a'.repeat(43)} ${Date.now() + keep} "forged"`))
    expect(await one.take('k')).toBeUndefined()
    await one.put('short', 'value', 50)
    const [short] = await rows('items')
    // Longer than the node may be wrong about the time of PostgreSQL.
    await passTime(server.admin, 1_000)
    await server.admin.query(`UPDATE ${schema}.items SET ends_at = now() + interval '1 minute'`)
    expect(short!.key).toBe('short')
    expect(await other.take('short')).toBeUndefined()
    // It is over when PostgreSQL says so.
    await one.put('over', 'value', keep)
    await server.admin.query(`UPDATE ${schema}.items SET ends_at = now()`)
    expect(await other.take('over')).toBeUndefined()
    // C16: nothing is put over what is there.
    await one.put('taken', 'first', keep)
    await expect(one.put('taken', 'second', keep)).rejects.toThrow('in use')
    expect(await one.take('taken')).toBe('first')
    // The log: with another secret, or none.
    await store({ secret: 'of another environment, another secret' }).append('forged', keep)
    await one.append('1', keep)
    await follower.has('1')
    expect(follower.entries).toEqual(['1'])
    expect(await warnings()).toEqual([expect.stringContaining('was not written with our secret')])
    await follower.stop()
  })

  it('J02 J08 has no credential in a statement, a value or an error', async () => {
    const own = await postgresOfTest(['log_statement=all'])
    const places = { max: 2, whenFull: 'replace' } as const
    const [node, other] = [await startNode(own, { places }), await startNode(own, { places })]
    const token = credentialOf(fresh())
    const { ticket } = await node.issue()
    const tables = ['items', 'places', 'log', 'nodes', 'counters']
    const dump = async () => {
      const rows = await Promise.all(tables.map((table) => rowsOf(own.admin, `sallyport.${table}`)))
      return JSON.stringify(rows, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value))
    }
    let everything = await dump()
    expect(everything).toContain(hash(ticket))
    await (await other.redeem(ticket)).text()
    await node.connect()
    await node.guard.revoke({ session: 's1' }, 'canary')
    everything += await dump()
    everything += own.said()
    expect(everything).toContain('DELETE FROM "sallyport".items')
    await own.admin.query('DROP SCHEMA sallyport CASCADE')
    const failed = await Promise.resolve(own.store({ secret }).take(`ticket:${ticket}`)).catch(
      (error: unknown) => error,
    )
    expect(String(failed)).toContain('42P01')
    everything += JSON.stringify([failed, Object.getOwnPropertyDescriptors(failed)])
    for (const canary of [ticket, token, secret]) expect(everything).not.toContain(canary)
  })

  it.each([
    ['I12', 'synchronous_commit is off', 'synchronous_commit=off', {}],
    ['I12', 'fsync is off', 'fsync=off', {}],
    ['I65', 'statement_timeout is 0', 'fsync=on', { statement_timeout: 0 }],
  ])(
    '%s of a server that may lose something, or wait for ever, is told to the operator: %s',
    async (_, text, setting, options) => {
      const warnings = warningsOfTest()
      const own = await postgresOfTest([setting])
      await own.store({ pool: own.pool(options), secret }).put('k', 'v', 1_000)
      expect(await warnings()).toEqual([expect.stringContaining(text)])
      if (setting === 'fsync=on') {
        await own.store({ secret }).put('l', 'v', 1_000)
        expect(await warnings()).toHaveLength(1)
      }
    },
  )
})

/** The same tables by a pool of their own. */
async function elsewhere(shared: Shared): Promise<Shared> {
  const pool = server.pool()
  if (!('store' in shared)) throw new Error('no store')
  return { store: (options) => shared.store({ ...options, ...{ pool } }) }
}

const systemAfter = (ms: number, callback: () => void) => {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
