import { randomBytes } from 'node:crypto'
import { checkedObject } from '../../support/checked-kind.js'
import { Breaker } from '../remote/breaker.js'
import { Log } from '../remote/log.js'
import { type ServerStoreOptions, setUp } from '../remote/setup.js'
import { readJson } from '../remote/values.js'
import type { Store } from '../store.js'
import { Connections, type PostgresPool, unavailable } from './connections.js'
import { inspectServer } from './inspection.js'
import { PostgresLog } from './log.js'
import { quoted } from './schema.js'
import { statementsOn } from './statements.js'

export type { PostgresClient, PostgresPool, PostgresStatement } from './connections.js'
export { postgresSchema } from './schema.js'

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions extends ServerStoreOptions {
  /**
   * A `Pool` of `pg`, yours, already made; the store neither opens nor closes it. It keeps one connection of it for as long
   * as a guard follows.
   */
  readonly pool: PostgresPool
  /** The schema that {@link postgresSchema} has made: one for each environment in the same database. Default `sallyport`. */
  readonly schema?: string
}

/**
 * The store of many nodes that have a PostgreSQL, 13 or later, and nothing else. Make its tables with
 * {@link postgresSchema} first.
 *
 * It warns, through `process.emitWarning`, of a server that may lose something, or keeps a connection for ever.
 *
 * @throws ConfigurationError on a secret that is short, a schema that cannot be one, or another option that cannot work
 */
export function postgresStore(options: PostgresStoreOptions): Store {
  checkedObject('postgresStore', 'options', options, '{ pool, secret }')
  const { pool, schema = 'sallyport' } = options
  checkedObject('postgresStore', 'pool', pool, 'a Pool of pg', 'connect', 'on')
  const statements = statementsOn(quoted('postgresStore', schema))
  const { clock, timeout, seal, time, values, warn } = setUp('postgresStore', 'PostgreSQL', options)
  const keyOf = (name: string) => `${schema}:${name}`
  const breaker = new Breaker('PostgreSQL', clock, timeout, unavailable)
  const connections = new Connections(pool, clock)
  const run = (text: string, parameters: unknown[]) => breaker.run(() => connections.query(text, parameters, timeout))
  // The followers keep its time.
  let isKnown = false
  const server = new PostgresLog({ statements, connections, breaker, run, channel: schema, now: clock.now })
  const log = new Log({
    name: 'postgresStore',
    server,
    seal,
    clock,
    time,
    random: randomBytes,
    keyOf,
    onPrimary: inspect,
  })

  async function inspect(): Promise<void> {
    const sent = clock.now()
    const [row = {}] = await run(statements.inspect, [])
    time.told(Number(row.now), sent, clock.now())
    for (const warning of inspectServer(row)) warn(warning)
    isKnown = true
  }

  return {
    async put(name, value, ttl) {
      const key = keyOf(name)
      if (!isKnown) await inspect()
      const sealed = Buffer.from(values.close(key, JSON.stringify(value), ttl))
      const rows = await run(statements.put, [name, sealed, ttl])
      if (rows.length === 0) throw new Error('the key is in use')
    },
    async take(name) {
      const [row] = await run(statements.take, [name])
      if (!row?.lives) return undefined
      const text = values.open(keyOf(name), String(row.value), Number(row.now))
      return text === undefined ? undefined : readJson(text, 'PostgreSQL')
    },
    async count(name, member, ttl) {
      const [row] = await run(statements.count, [name, member, ttl])
      return Number(row?.members)
    },
    async acquire(group, member, { max, whenFull }, ttl) {
      const [row] = await run(statements.acquire, [group, member, max, whenFull, ttl])
      return { acquired: row?.acquired === true, replaced: row?.replaced as string[] }
    },
    async release(group, member) {
      await run(statements.release, [group, member])
    },
    append: (entry, ttl) => log.append(entry, ttl),
    follow: (follower) => log.follow(follower),
  }
}
