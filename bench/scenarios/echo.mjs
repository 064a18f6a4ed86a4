// Messages after the accept: they are to cost what they cost on the bare socket.
import * as say from '../conversations.mjs'
import { drive, hangUp, pingPong } from '../load.mjs'
import { withServers } from '../process.mjs'
import { interleave } from '../rounds.mjs'
import { quantile, toRow } from '../rows.mjs'
import { frame, frameLength } from '../wire.mjs'

export const scenario = 'echo'

const clientCount = 32
const sizes = [
  ['64 B', 64],
  ['16 KiB', 16_384],
]

export async function measure({ credentials, effort }) {
  const { keys, fresh } = credentials
  const { rounds, ...times } = effort.echo
  const all = [
    ['bare-ws', {}],
    ['sallyport', { way: 'header', keys }],
  ]
  return withServers(all, async (bare, ours) => {
    const tokens = fresh('HS256')(clientCount)
    const conversations = [tokens.map(() => say.anonymous()), tokens.map((token) => say.bearer(token))]
    const opened = []
    for (const [i, { port }] of [bare, ours].entries()) {
      opened.push((await drive({ port, conversations: conversations[i], keep: true })).clients)
    }
    const rows = []
    for (const [size, bytes] of sizes) {
      const message = frame(Buffer.alloc(bytes, 'x'))
      const exchange = async ({ server, clients }) => {
        const before = await server.call('usage', { connections: clientCount })
        const { latencies } = await pingPong({
          clients,
          message,
          replyLength: frameLength(bytes),
          times: Math.ceil(times[size] / clientCount),
        })
        const cpu = (await server.call('usage', { connections: clientCount })) - before
        return { rate: latencies.length / cpu, p99: quantile(latencies, 0.99) }
      }
      const subjects = {
        'bare ws': { server: bare, clients: opened[0] },
        sallyport: { server: ours, clients: opened[1] },
      }
      for (const subject of Object.values(subjects)) await exchange(subject) // warms up
      const samples = await interleave(rounds, subjects, exchange)
      const of = (name, figure) => samples.get(name).map((sample) => sample[figure])
      for (const [figure, unit, asked] of [
        ['rate', 'a second of CPU', { least: 0.98 }],
        ['p99', 'ms', { most: 1 / 0.98 }],
      ]) {
        const label = `${size}, ${figure === 'rate' ? 'messages' : 'p99'}`
        const control = { row: `bare ws, ${label}`, samples: of('bare ws', figure) }
        rows.push(toRow({ scenario, row: control.row, unit, samples: control.samples }))
        const samples = of('sallyport', figure)
        rows.push(
          toRow({ scenario, row: `sallyport, ${label}`, unit, samples, control, goal: { of: 'ratio', ...asked } }),
        )
      }
    }
    for (const clients of opened) hangUp(clients)
    return rows
  })
}
