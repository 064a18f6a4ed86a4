// After a restart everybody comes back at once, to a process that has just begun: each asks for a ticket, and comes in with it.
import * as say from '../conversations.mjs'
import { drive, hangUp } from '../load.mjs'
import { withServers } from '../process.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'reconnection'

const bare = 'bare ws and a POST answered by hand'

export async function measure({ credentials: { keys, fresh }, effort }) {
  const { rounds, clients: count } = effort.reconnection
  const subjects = {
    [bare]: { server: ['bare-ws-post', {}], comeIn: () => say.anonymous() },
    'fresh tickets': { server: ['sallyport', { way: 'ticket', keys }], comeIn: (text) => say.ticket(text) },
  }
  // `drive` rejects when a single one fails.
  const samples = await interleave(rounds, subjects, ({ server: wanted, comeIn }) =>
    withServers([wanted], async (server) => {
      const conversations = fresh('HS256')(count).map((token) => say.takeTicket(token, { comeIn }))
      const before = await server.call('usage')
      const { clients, seconds } = await drive({ port: server.port, conversations, inFlight: 500, keep: true })
      const cpu = (await server.call('usage', { connections: count })) - before
      hangUp(clients)
      return { cpu, seconds }
    }),
  )
  return ['cpu', 'seconds'].flatMap((figure) => {
    const of = (name) => samples.get(name).map((sample) => sample[figure])
    const unit = figure === 'cpu' ? 's of CPU' : 's'
    const label = (name) => `${name}, ${count.toLocaleString('en')} clients, ${figure === 'cpu' ? 'CPU' : 'wall clock'}`
    const control = { row: label(bare), samples: of(bare) }
    const goal = { of: 'ratio', most: 1.25 }
    const row = label('fresh tickets')
    return [
      toRow({ scenario, unit, ...control }),
      toRow({ scenario, unit, row, samples: of('fresh tickets'), control, goal }),
    ]
  })
}
