// Rows of handshakes: each beside its control, their rounds interleaved, nobody else up meanwhile.
import * as say from './conversations.mjs'
import { drive } from './load.mjs'
import { withServers } from './process.mjs'
import { median, toRow } from './rows.mjs'

/**
 * Measures rows, which are
 *
 * - `{ row, server, prepare, opposite, echoes }`: handshakes a second of the server's CPU. `prepare(server, count)` makes
 *   the conversations; `opposite(server)` makes the control in the other direction: a bad credential, which the server
 *   must refuse. `echoes`: who is accepted reaches an application that answers what it is told. Or
 * - `{ row, bound: { row, alg } }`: what another row of them would be if it also verified a signature by node:crypto. It is
 *   measured with the one row whose control it is.
 *
 * Each may have a `control`, the name of another row, and a `goal`.
 */
export async function measureHandshakes({ scenario, rows: all, wants, ...effort }) {
  const rows = withControls(all, wants)
  const find = (name) => rows.find(({ row }) => row === name)
  const measured = new Map()
  for (const row of rows.filter(({ server }) => server)) {
    const control = find(row.control)
    const bound = control?.bound && { row: control.row, alg: control.bound.alg }
    await measureRow({ row, control: bound ? find(control.bound.row) : control, bound, measured, ...effort })
  }
  return rows.map(({ row, control, goal }) => {
    const { samples, controls, ...more } = measured.get(row)
    return toRow({
      scenario,
      row,
      unit: 'a second of CPU',
      samples,
      ...(control && { control: { row: control, samples: controls } }),
      ...(goal && { goal }),
      ...more,
    })
  })
}

/**
 * Measures a row and, right before it in each round, its control, so that both find the machine as busy. No other server
 * is up: one that has nothing to do for half a minute throws its compiled code away.
 */
async function measureRow({ row, control, bound, measured, rounds, count, warmup, credentials }) {
  const subjects = control ? [control, row] : [row]
  const wanted = subjects.map(({ server }) => server)
  if (bound) wanted.push(['node-crypto', { keys: credentials.keys }])
  await withServers(wanted, async (...servers) => {
    const server = servers[subjects.length - 1]
    const verifier = servers[subjects.length]
    for (const [i, subject] of subjects.entries()) await warmUp(subject, servers[i], warmup)
    const { share: load } = await converse(row, server, await row.prepare(server, count), { awake: false })
    const [samples, controls, boundedBy, wall] = [[], [], [], []]
    for (let round = 0; round < rounds; round += 1) {
      const { rate: bare } = control ? await take(control, servers[0], count) : {}
      if (bound) {
        const [token] = credentials.fresh(bound.alg)(1)
        const seconds = await verifier.call('verification', { alg: bound.alg, token, count })
        boundedBy.push(1 / (1 / bare + seconds))
      }
      controls.push(bare)
      const taken = await take(row, server, count)
      samples.push(taken.rate)
      wall.push(taken.wall)
    }
    if (bound) measured.set(bound.row, { samples: boundedBy, controls })
    measured.set(row.row, { samples, controls: bound ? boundedBy : controls, wall: median(wall), load })
  })
}

/** Shows that the server of a row does what the row says, and lets it compile its code. */
async function warmUp(row, server, count) {
  const { prepare, opposite, echoes } = row
  if (opposite) await converse(row, server, [await opposite(server)])
  if (echoes) await converse(row, server, (await prepare(server, 1)).map(say.toEcho))
  await converse(row, server, await prepare(server, count))
}

/** One sample of a row: handshakes a second of CPU, and by the clock. */
async function take(row, server, count) {
  const conversations = await row.prepare(server, count)
  const before = await server.call('usage')
  const { seconds } = await converse(row, server, conversations)
  const cpu = (await server.call('usage')) - before
  return { rate: count / cpu, wall: count / seconds }
}

async function converse({ row }, { port }, conversations, options) {
  try {
    return await drive({ port, conversations, ...options })
  } catch (error) {
    throw new Error(`${row}: ${error.message}`, { cause: error })
  }
}

/** The rows that are wanted, and those that they are set beside. */
function withControls(all, wants) {
  const wanted = new Set()
  const want = (name) => {
    const found = all.find(({ row }) => row === name)
    if (!found || wanted.has(found)) return
    wanted.add(found)
    for (const other of [found.control, found.bound?.row]) want(other)
  }
  for (const { row } of all) if (wants(row)) want(row)
  return all.filter((row) => wanted.has(row))
}
