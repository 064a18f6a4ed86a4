// One more client of a server that has many.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { drive, hangUp } from '../load.mjs'
import { withServers } from '../process.mjs'
import { quantile, toRow } from '../rows.mjs'

export const scenario = 'growth'

const kibibyte = 1024

export async function measure({ credentials, effort }) {
  const { rounds, sizes, count } = effort.growth
  const { keys, seen } = credentials
  const tokens = seen('HS256')
  const subjects = {
    'bare ws': { server: ['bare-ws', {}], prepare: (count) => repeat([say.anonymous()], count) },
    'header, HS256 seen before': {
      server: ['sallyport', { way: 'header', keys }],
      prepare: (count) => tokens(count).map((token) => say.bearer(token)),
    },
  }
  const rows = []
  for (const [name, { server: wanted, prepare }] of Object.entries(subjects)) {
    const figures = await withServers([wanted], (server) => grow({ server, prepare, rounds, sizes, count }))
    rows.push(...toRows(name, figures, name !== 'bare ws'))
  }
  return rows
}

/** Lets a server grow, and measures at each size: handshakes that come and go, and the memory of those that stay. */
async function grow({ server, prepare, rounds, sizes, count }) {
  const { port } = server
  const kept = []
  await drive({ port, conversations: prepare(count * 10) })
  await server.call('usage')
  const empty = await server.call('memory')
  const figures = []
  for (const size of sizes) {
    const { clients } = await drive({ port, conversations: prepare(size - kept.length), keep: true })
    kept.push(...clients)
    const { heap } = await server.call('memory')
    const rates = []
    const p99s = []
    for (let round = 0; round < rounds; round += 1) {
      const before = await server.call('usage', { connections: size })
      const { latencies } = await drive({ port, conversations: prepare(count), inFlight: 4 })
      const cpu = (await server.call('usage', { connections: size })) - before
      rates.push(count / cpu)
      p99s.push(quantile(latencies, 0.99))
    }
    figures.push({ size, rates, p99s, memory: [(heap - empty.heap) / size / kibibyte] })
  }
  hangUp(kept)
  return figures
}

/** Each size beside the first. */
function toRows(name, figures, isOurs) {
  const kinds = [
    ['rates', 'handshakes', 'a second of CPU', { least: 0.9 }],
    ['p99s', 'p99', 'ms', { most: 1.5 }],
    ['memory', 'heap', 'KiB a connection', { most: 1.1 }],
  ]
  return kinds.flatMap(([kind, label, unit, asked]) => {
    const rowOf = ({ size }) => `${name}, ${label} at ${size.toLocaleString('en')} connections`
    const [first] = figures
    return figures.map((figure) => {
      const isFirst = figure === first
      return toRow({
        scenario,
        row: rowOf(figure),
        unit,
        samples: figure[kind],
        ...(!isFirst && { control: { row: rowOf(first), samples: first[kind] } }),
        ...(!isFirst && isOurs && { goal: { of: 'ratio', ...asked } }),
      })
    })
  })
}
