// Tickets issued and redeemed, in the memory store and over Redis.
import { withServers } from '../process.mjs'
import { withRedis } from '../redis.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'tickets'

export async function measure({ effort }) {
  const { rounds, count, overRedis } = effort.tickets
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
    withServers([['redis-ticket-pairs', { redis }]], (server) =>
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
  return [...inMemory, ...shared]
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
