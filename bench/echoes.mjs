// Messages after the accept: they are to cost what they cost without us.
import { drive, hangUp, pingPong } from './load.mjs'
import { withServers } from './process.mjs'
import { interleave } from './rounds.mjs'
import { quantile, toRow } from './rows.mjs'
import { frame, frameLength } from './wire.mjs'

const clientCount = 32
const sizes = [
  ['64 B', 64],
  ['16 KiB', 16_384],
]

/**
 * Rows of messages a second and of their p99, ours beside its control: `{ row, server, conversations(count) }` each. `wrap`
 * makes of a text what the protocol of the server takes for a message, where it has one.
 */
export function measureEchoes({ scenario, control, ours, rounds, wrap, ...times }) {
  return withServers([control.server, ours.server], async (...servers) => {
    const subjects = Object.fromEntries(
      [control, ours].map(({ row, conversations }, i) => [row, { server: servers[i], conversations }]),
    )
    const rows = []
    for (const [size, bytes] of sizes) {
      const said = wrap ? wrap('x'.repeat(bytes)) : Buffer.alloc(bytes, 'x')
      const message = frame(said)
      // On connections of its own each time: the load answers no ping meanwhile, and servers end who has not for long.
      const exchange = async ({ server, conversations }) => {
        const { port } = server
        const { clients } = await drive({ port, conversations: conversations(clientCount), keep: true })
        const before = await server.call('usage', { connections: clientCount })
        const { latencies } = await pingPong({
          clients,
          message,
          replyLength: frameLength(said.length),
          times: Math.ceil(times[size] / clientCount),
        })
        const cpu = (await server.call('usage', { connections: clientCount })) - before
        hangUp(clients)
        return { rate: latencies.length / cpu, p99: quantile(latencies, 0.99) }
      }
      for (const subject of Object.values(subjects)) await exchange(subject) // warms up
      const samples = await interleave(rounds, subjects, exchange)
      const of = (name, figure) => samples.get(name).map((sample) => sample[figure])
      for (const [figure, unit, asked] of [
        ['rate', 'a second of CPU', { least: 0.98 }],
        ['p99', 'ms', { most: 1 / 0.98 }],
      ]) {
        const label = `${size}, ${figure === 'rate' ? 'messages' : 'p99'}`
        const beside = { row: `${control.row}, ${label}`, samples: of(control.row, figure) }
        rows.push(
          toRow({ scenario, row: beside.row, unit, samples: beside.samples }),
          toRow({
            scenario,
            row: `${ours.row}, ${label}`,
            unit,
            samples: of(ours.row, figure),
            control: beside,
            goal: { of: 'ratio', ...asked },
          }),
        )
      }
    }
    return rows
  })
}
