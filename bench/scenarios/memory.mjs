// What an idle connection holds: of the heap, which is exact, and of the process, which depends on when the collector gives
// pages back.
import * as say from '../conversations.mjs'
import { drive, hangUp } from '../load.mjs'
import { withServers } from '../process.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'memory'

const bare = 'bare ws'

const kibibyte = 1024

export async function measure({ credentials, effort }) {
  const { keys, fresh } = credentials
  const { rounds, connections } = effort.memory
  const ours = (way) => ['sallyport', { way, keys }]
  const tell = (how) => (_server, count) => fresh('HS256')(count).map((token) => how(token))
  const beside = { control: bare, most: 0.7 }
  const subjects = {
    [bare]: { server: ['bare-ws', {}], prepare: tell(() => say.anonymous()) },
    ticket: {
      ...beside,
      server: ours('ticket'),
      prepare: async (server, count) => (await server.call('tickets', { count })).map((text) => say.ticket(text)),
    },
    'cookie, session in memory': {
      ...beside,
      server: ours('cookie'),
      prepare: async (server, count) => (await server.call('sessions', { count })).map((cookie) => say.cookie(cookie)),
    },
    'header, each a token of its own, which is remembered': {
      ...beside,
      server: ours('header'),
      prepare: tell(say.bearer),
    },
    'bare ws, answering a first message': {
      control: bare,
      server: ['bare-ws-first-message', {}],
      prepare: tell(say.firstMessage),
    },
    'first message': {
      server: ours('message'),
      prepare: tell(say.firstMessage),
      control: 'bare ws, answering a first message',
      most: 0.7,
    },
  }

  return measureMemory({ scenario, subjects, rounds, connections })
}

/**
 * What an idle connection of each subject holds. A subject has a `server`, what is said to it, and the name of the `control`
 * that it is set beside; `most` is how many KiB of the heap it may hold beyond that.
 */
export async function measureMemory({ scenario, subjects, rounds, connections }) {
  const samples = await interleave(rounds, subjects, ({ server: wanted, prepare }) =>
    // A process of its own each time: memory that was had once is not given back.
    withServers([wanted], async (server) => {
      const { port } = server
      // All sessions are there before, as in an application, and as many tickets lie about as afterwards.
      const warmup = await prepare(server, connections)
      await drive({ port, conversations: warmup.slice(0, 500) })
      const before = await server.call('memory')
      const conversations = await prepare(server, connections)
      const { clients } = await drive({ port, conversations, keep: true })
      const after = await server.call('memory')
      hangUp(clients)
      const each = (figure) => (after[figure] - before[figure]) / connections / kibibyte
      return { heap: each('heap'), rss: each('rss') }
    }),
  )

  const of = (name, figure) => samples.get(name).map((sample) => sample[figure])
  return ['heap', 'rss'].flatMap((figure) => {
    return Object.entries(subjects).map(([name, { control, most }]) =>
      toRow({
        scenario,
        row: `${name}, ${figure}`,
        unit: 'KiB a connection',
        samples: of(name, figure),
        ...(control && { control: { row: `${control}, ${figure}`, samples: of(control, figure) } }),
        ...(most !== undefined && figure === 'heap' && { goal: { of: 'excess', most } }),
      }),
    )
  })
}
