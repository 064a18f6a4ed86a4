// Tickets issued and redeemed, in the memory store, and over the stores that processes share.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withPostgres } from '../postgres.mjs'
import { withServers } from '../process.mjs'
import { withRedis } from '../redis.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'tickets'

export async function measure({ effort }) {
  const { rounds, count, overRedis, overPostgres } = effort.tickets
  const inMemory = await withServers([['ticket-pairs', {}]], (server) =>
    compare(server, {
      rounds,
      count,
      unit: 'pairs a second of CPU',
      control: ['node:crypto alone: 32 random bytes, two hashes', 'cryptography'],
      subject: ['issue and redeem', 'pairs'],
      goal: { of: 'ratio', least: 0.7 },
    }),
  )
  const shared = await withRedis((redis) =>
    withServers([['store-ticket-pairs', { redis }]], (server) =>
      compare(server, {
        rounds,
        count: overRedis,
        unit: 'pairs a second',
        control: ['ioredis alone: SET and GETDEL', 'commands'],
        subject: ['issue and redeem over Redis', 'pairs'],
        goal: { of: 'ratio', least: 0.6 },
      }),
    ),
  )
  const onPostgres = await withPostgres((postgres) =>
    withServers([['store-ticket-pairs', { postgres }]], (server) =>
      compare(server, {
        rounds,
        count: overPostgres,
        unit: 'pairs a second',
        control: ['pg alone: INSERT and DELETE', 'commands'],
        subject: ['issue and redeem over PostgreSQL', 'pairs'],
        goal: { of: 'ratio', least: 0.8 },
      }),
    ),
  )
  return [...inMemory, ...shared, ...onPostgres, await amongProcesses({ rounds, count: overRedis })]
}

/** Over the store of a cluster, which another process holds. */
async function amongProcesses({ rounds, count }) {
  const cluster = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  try {
    return await withServers([['store-ticket-pairs', { cluster }]], () =>
      withServers([['store-ticket-pairs', { cluster }]], async (server) => {
        const row = 'issue and redeem over the store of a cluster'
        const sample = async (command) => count / (await server.call(command, { count }))
        const samples = await interleave(rounds, { [row]: 'pairs' }, sample)
        return toRow({ scenario, unit: 'pairs a second', row, samples: samples.get(row) })
      }),
    )
  } finally {
    await rm(cluster, { recursive: true, force: true })
  }
}

/** Two commands of a server beside each other, by turns. */
async function compare(server, { rounds, count, unit, control: [row, alone], subject: [pairs, ours], goal }) {
  const subjects = { [row]: alone, [pairs]: ours }
  for (const command of Object.values(subjects)) await server.call(command, { count }) // warms up
  const sample = async (command) => count / (await server.call(command, { count }))
  const samples = await interleave(rounds, subjects, sample)
  const control = { row, samples: samples.get(row) }
  return [
    toRow({ scenario, unit, ...control }),
    toRow({ scenario, unit, row: pairs, samples: samples.get(pairs), control, goal }),
  ]
}
