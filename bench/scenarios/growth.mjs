// One more client of a server that has many.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { drive, hangUp } from '../load.mjs'
import { withServers } from '../process.mjs'
import { quantile, toRow } from '../rows.mjs'

export const scenario = 'growth'

const kibibyte = 1024

export async function measure({ credentials: { keys }, effort }) {
  const { rounds, sizes, count } = effort.growth
  const subjects = {
    'bare ws': { server: ['bare-ws', {}], prepare: (_server, total) => repeat([say.anonymous()], total) },
    // As many users as connections: a user who has several costs a set.
    'cookie, session in memory': {
      server: ['sallyport', { way: 'cookie', keys }],
      prepare: async (server, total) =>
        (await server.call('sessions', { count: total })).map((cookie) => say.cookie(cookie)),
    },
  }
  const rows = []
  for (const [name, { server: wanted, prepare }] of Object.entries(subjects)) {
    const figures = await withServers([wanted], async (server) => {
      const conversations = await prepare(server, sizes.at(-1) + count)
      return grow({ server, conversations, rounds, sizes })
    })
    rows.push(...toRows(name, figures, name !== 'bare ws'))
  }
  return rows
}

/** Lets a server grow, and measures at each size: handshakes that come and go, and the memory of those that stay. */
async function grow({ server, conversations, rounds, sizes }) {
  const { port } = server
  const visitors = conversations.slice(sizes.at(-1))
  const kept = []
  await drive({ port, conversations: repeat(visitors, visitors.length * 10) })
  // What is there once, whatever the size, is there before the first connection counts.
  hangUp((await drive({ port, conversations: conversations.slice(0, sizes[0]), keep: true })).clients)
  await server.call('usage')
  const empty = await server.call('memory')
  const figures = []
  for (const size of sizes) {
    const { clients } = await drive({ port, conversations: conversations.slice(kept.length, size), keep: true })
    kept.push(...clients)
    const { heap } = await server.call('memory')
    const rates = []
    const p99s = []
    for (let round = 0; round < rounds; round += 1) {
      const before = await server.call('usage', { connections: size })
      const { latencies } = await drive({ port, conversations: visitors, inFlight: 4 })
      const cpu = (await server.call('usage', { connections: size })) - before
      rates.push(visitors.length / cpu)
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
