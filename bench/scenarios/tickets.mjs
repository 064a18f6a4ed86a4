// Tickets issued and redeemed, in the memory store.
import { withServers } from '../process.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'tickets'

export function measure({ effort }) {
  const { rounds, count } = effort.tickets
  return withServers([['ticket-pairs', {}]], async (server) => {
    const subjects = { 'node:crypto alone: 32 random bytes, two hashes': 'cryptography', 'issue and redeem': 'pairs' }
    for (const command of Object.values(subjects)) await server.call(command, { count }) // warms up
    const samples = await interleave(
      rounds,
      subjects,
      async (command) => count / (await server.call(command, { count })),
    )
    const [[row, alone], [pairs, ours]] = samples
    const unit = 'pairs a second of CPU'
    return [
      toRow({ scenario, row, unit, samples: alone }),
      toRow({
        scenario,
        row: pairs,
        unit,
        samples: ours,
        control: { row, samples: alone },
        goal: { of: 'value', least: 200_000 },
      }),
    ]
  })
}
