// The guard on Bun and Deno, beside their bare servers and bare ws on Node.js: handshakes, and what an idle connection holds.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { measureHandshakes } from '../handshakes.mjs'
import { measureMemory } from './memory.mjs'

export const scenario = 'runtimes'

const bareWs = 'bare ws on Node.js'

/** The runtimes, and what the guard is to reach of each. */
const runtimes = [
  { name: 'Bun', runtime: 'bun', bare: 'bare Bun.serve', least: 0.7, beside: 2 },
  { name: 'Deno', runtime: 'deno', bare: 'bare Deno.serve', least: 0.75 },
]

export async function measure({ credentials, effort, wants }) {
  const { keys, fresh, seen, forged } = credentials
  const anonymous = (row, server, more) => ({
    row,
    server,
    prepare: (_server, count) => repeat([say.anonymous()], count),
    echoes: true,
    ...more,
  })
  const tickets = async (server, count) => (await server.call('tickets', { count })).map((text) => say.ticket(text))
  const bearers = (tokens) => (_server, count) => tokens('HS256')(count).map((token) => say.bearer(token))

  const rows = [anonymous(bareWs, ['bare-ws', {}])]
  for (const { name, runtime, bare, least, beside } of runtimes) {
    const guarded = (row, way, prepare, opposite, control, goal) => ({
      row,
      server: [runtime, { runtime, way, keys }],
      prepare,
      opposite: () => opposite,
      echoes: true,
      control,
      goal: { of: 'ratio', least: goal },
    })
    const bad = say.bearer(forged('HS256'), say.refusals.status)
    const header = [bearers(seen), bad]
    rows.push(
      anonymous(bare, [runtime, { runtime }], { control: bareWs }),
      guarded(`${name}, ticket`, 'ticket', tickets, say.ticket('x'.repeat(43), say.refusals.status), bare, least),
      guarded(`${name}, header, HS256 seen before`, 'header', ...header, bare, least),
      guarded(`${name}, header, HS256 first seen`, 'header', bearers(fresh), bad, bare, least),
    )
    if (beside)
      rows.push(guarded(`${name}, header, HS256 seen before, beside ${bareWs}`, 'header', ...header, bareWs, beside))
  }
  const handshakes = await measureHandshakes({ scenario, rows, credentials, wants, ...effort.handshakes })
  return wants('memory') ? [...handshakes, ...(await measureIdle({ keys, fresh, effort }))] : handshakes
}

/** What an idle connection holds on Bun. */
function measureIdle({ keys, fresh, effort }) {
  const server = (options) => ['bun', { runtime: 'bun', ...options }]
  const tell = (how) => (_server, count) => fresh('HS256')(count).map((token) => how(token))
  const bare = 'memory, bare Bun.serve'
  const subjects = {
    [bare]: { server: server({}), prepare: tell(() => say.anonymous()) },
    'memory, Bun, header': {
      server: server({ way: 'header', keys }),
      prepare: tell(say.bearer),
      control: bare,
      most: 0.7,
    },
  }
  return measureMemory({ scenario, subjects, ...effort.memory })
}
