// Tickets over a store, with no socket around them: what the guard takes, beside the commands that it cannot do without.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createGuard, header, ticket } from '@sallyport/server'
import { clusterStore } from '@sallyport/server/cluster'
import { postgresSchema, postgresStore } from '@sallyport/server/postgres'
import { redisStore } from '@sallyport/server/redis'
import { Redis } from 'ioredis'
import pg from 'pg'

const path = '/ws'
const address = '127.0.0.1'
const callers = 200
const value = JSON.stringify({ identity: { id: 'user-1' }, hash: 'x'.repeat(43), binding: { path } })
const sha256 = (text) => createHash('sha256').update(text).digest('base64url')
// A machine that is busy answers late, and is right.
const options = { secret: randomBytes(32), timeout: 10_000 }

/** For each store: itself, and what puts a value under a key and takes it again by its client alone. */
const stores = {
  async redis(socket) {
    const client = new Redis(socket, { enableAutoPipelining: true })
    await once(client, 'ready')
    return {
      store: redisStore({ client, ...options }),
      async alone(key) {
        await client.set(key, value, 'PX', 30_000, 'NX')
        return client.getdel(key)
      },
    }
  },
  async postgres(host) {
    const pool = new pg.Pool({ host, user: 'postgres', max: 10, statement_timeout: 2_000 })
    await pool.query(postgresSchema())
    pool.on('error', () => {})
    return { store: postgresStore({ pool, ...options }), alone: (key) => putAndTake(pool, key) }
  },
  cluster: async (folder) => ({ store: clusterStore({ folder, timeout: options.timeout }) }),
}

/** The two statements of the store, with a value that is as large as a sealed ticket. */
async function putAndTake(pool, key) {
  const put = `INSERT INTO sallyport.items AS old (key, value, ends_at)
    VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 millisecond')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at WHERE old.ends_at <= clock_timestamp()
    RETURNING true`
  const take = `DELETE FROM sallyport.items WHERE key = $1 RETURNING value, ends_at > clock_timestamp() AS lives,
    trunc(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`
  await pool.query(put, [key, Buffer.from(value.padEnd(400)), 30_000])
  const { rows } = await pool.query(take, [key])
  return String(rows[0]?.value).trimEnd()
}

export default async function start(wanted) {
  const [[name, where]] = Object.entries(wanted)
  const { store, alone } = await stores[name](where)
  const guard = createGuard({
    accept: [ticket(), header({ verify: (id) => ({ identity: { id } }) })],
    store,
  })
  await guard.ready()
  const handshake = [
    ['host', 'bench'],
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ]

  return {
    /** Seconds for so many tickets, each issued and then redeemed by a handshake. */
    pairs: ({ count }) =>
      measured(count, async (caller) => {
        const headers = [
          ['host', 'bench'],
          ['authorization', `Bearer user-${caller}`],
        ]
        const issued = await guard.issueTicket({ method: 'POST', target: `${path}/ticket`, headers, address }, path)
        const target = `${path}?ticket=${issued.ticket}`
        const verdict = await guard.decide({ method: 'GET', target, headers: handshake, address })
        if (verdict.type !== 'accept') throw new Error(`a fresh ticket is refused: ${verdict.reason}`)
      }),

    /** The same for the client alone: a value under the hash of a secret, taken again. */
    commands: ({ count }) =>
      measured(count, async () => {
        const key = `raw:${sha256(randomBytes(32).toString('base64url'))}`
        if ((await alone(key)) !== value) throw new Error('the store has lost a value')
      }),
  }
}

/** Acts so many times, for some callers at once. */
async function measured(count, act) {
  const start = performance.now()
  let left = count
  const call = async (_, caller) => {
    while (left > 0) {
      left -= 1
      await act(caller)
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return (performance.now() - start) / 1000
}
