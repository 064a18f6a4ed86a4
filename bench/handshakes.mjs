// Rows of handshakes: each with its server, all servers up at once, and the rounds of all rows interleaved.
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
 * - `{ row, bound: { row, alg } }`: what another row of them would be if it also verified a signature by node:crypto. Or
 * - `{ row, same }`: another row of them once more, to stand beside another control.
 *
 * Each may have a `control`, the name of another row, and a `goal`.
 */
export async function measureHandshakes({ scenario, rows: all, wants, rounds, count, warmup, credentials }) {
  const rows = withControls(all, wants)
  const served = rows.filter(({ server }) => server)
  const bounds = rows.filter(({ bound }) => bound)
  const again = rows.filter(({ same }) => same)
  const crypto = ['node-crypto', { keys: credentials.keys }]
  return withServers([crypto, ...served.map(({ server }) => server)], async (verifier, ...servers) => {
    const loads = new Map()
    for (const [i, { row, prepare, opposite, echoes }] of served.entries()) {
      const server = servers[i]
      await naming(row, async () => {
        if (opposite) await converse(server, [await opposite(server)])
        if (echoes) await converse(server, (await prepare(server, 1)).map(say.toEcho))
        await converse(server, await prepare(server, warmup))
        const { share } = await converse(server, await prepare(server, count), { awake: false })
        loads.set(row, share)
      })
    }
    /** One sample of a row: so many handshakes, and what they took. */
    const take = async (name) => {
      const i = served.findIndex(({ row }) => row === name)
      const server = servers[i]
      const conversations = await served[i].prepare(server, count)
      const before = await server.call('usage')
      const { seconds } = await naming(name, () => converse(server, conversations))
      const cpu = (await server.call('usage')) - before
      taken.get(name).push(count / seconds)
      return count / cpu
    }
    /** What a bound would be, were its row as fast as `rate`. */
    const bounded = async ({ alg }, rate) => {
      const [token] = credentials.fresh(alg)(1)
      return 1 / (1 / rate + (await verifier.call('verification', { alg, token, count })))
    }

    const taken = new Map(served.map(({ row }) => [row, []]))
    const samples = new Map(rows.map(({ row }) => [row, []]))
    const controls = new Map(rows.map(({ row }) => [row, []]))
    for (let round = 0; round < rounds; round += 1) {
      for (const { row, control } of served) {
        // Right before its row, so that both find the machine as busy.
        const bound = bounds.find((other) => other.row === control)?.bound
        if (control) {
          const rate = await take(bound?.row ?? control)
          const sample = bound ? await bounded(bound, rate) : rate
          controls.get(row).push(sample)
          if (bound) {
            samples.get(control).push(sample)
            controls.get(control).push(rate)
          }
        }
        samples.get(row).push(await take(row))
      }
    }
    for (const { row, same, control } of again) {
      samples.set(row, samples.get(same))
      controls.set(row, samples.get(control))
    }
    return rows.map(({ row, server, control, goal }) => {
      return toRow({
        scenario,
        row,
        unit: 'a second of CPU',
        samples: samples.get(row),
        ...(control && { control: { row: control, samples: controls.get(row) } }),
        ...(goal && { goal }),
        ...(server && { wall: median(taken.get(row)), load: loads.get(row) }),
      })
    })
  })
}

/** The rows that are wanted, and those that they are set beside. */
function withControls(all, wants) {
  const wanted = new Set()
  const want = (name) => {
    const found = all.find(({ row }) => row === name)
    if (!found || wanted.has(found)) return
    wanted.add(found)
    for (const other of [found.control, found.same, found.bound?.row]) want(other)
  }
  for (const { row } of all) if (wants(row)) want(row)
  return all.filter((row) => wanted.has(row))
}

const converse = ({ port }, conversations, options) => drive({ port, conversations, ...options })

async function naming(row, act) {
  try {
    return await act()
  } catch (error) {
    throw new Error(`${row}: ${error.message}`, { cause: error })
  }
}
