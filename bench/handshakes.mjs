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
    for (const [i, { row, prepare, opposite, echoes }] of served.entries()) {
      const server = servers[i]
      await naming(row, async () => {
        if (opposite) await converse(server, [await opposite(server)])
        if (echoes) await converse(server, (await prepare(server, 1)).map(say.toEcho))
        await converse(server, await prepare(server, warmup))
      })
    }
    const samples = new Map(rows.map(({ row }) => [row, []]))
    const wall = new Map(rows.map(({ row }) => [row, { rates: [], shares: [] }]))
    for (let round = 0; round < rounds; round += 1) {
      for (const [i, { row, prepare }] of served.entries()) {
        const server = servers[i]
        const conversations = await prepare(server, count)
        const before = await server.call('usage')
        const { seconds, share } = await naming(row, () => converse(server, conversations))
        const cpu = (await server.call('usage')) - before
        samples.get(row).push(count / cpu)
        wall.get(row).rates.push(count / seconds)
        wall.get(row).shares.push(share)
      }
      for (const { row, bound } of bounds) {
        const token = credentials.fresh(bound.alg)(1)[0]
        const verification = await verifier.call('verification', { alg: bound.alg, token, count })
        samples.get(row).push(1 / (1 / samples.get(bound.row)[round] + verification))
      }
    }
    for (const { row, same } of again) samples.set(row, samples.get(same))
    return rows.map(({ row, server, control, goal }) => {
      const { rates, shares } = wall.get(row)
      return toRow({
        scenario,
        row,
        unit: 'a second of CPU',
        samples: samples.get(row),
        ...(control && { control: { row: control, samples: samples.get(control) } }),
        ...(goal && { goal }),
        ...(server && { wall: median(rates), load: median(shares) }),
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

const converse = ({ port }, conversations) => drive({ port, conversations })

async function naming(row, act) {
  try {
    return await act()
  } catch (error) {
    throw new Error(`${row}: ${error.message}`, { cause: error })
  }
}
