import { postgresStore } from '@sallyport/server/postgres'
import type { Pool } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { patient } from '../support/node.js'
import { type PostgresServer, passTime, startPostgres } from '../support/postgres.js'
import { storeContract } from './store.js'

let server: PostgresServer
let pool: Pool

beforeAll(async () => {
  server = await startPostgres()
  pool = server.pool()
}, 60_000)
afterAll(() => server.stop())

storeContract('postgresStore', async () => ({
  store: postgresStore({ pool, schema: await server.schema(), timeout: patient }),
  advance: (ms) => passTime(server.admin, ms),
}))

storeContract('postgresStore with a secret, on a database whose transactions are serializable', async () => ({
  store: postgresStore({
    pool: server.pool({ options: '-c default_transaction_isolation=serializable' }),
    schema: await server.schema(),
    secret: 'x'.repeat(32),
    timeout: patient,
  }),
  advance: (ms) => passTime(server.admin, ms),
}))
