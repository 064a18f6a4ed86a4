// What `guard.decide` costs by itself, so that adapters on faster servers know what is the guard's part of a handshake.
import { withServers } from '../process.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'decisions'

const unit = 'µs of CPU'
const control = 'node:crypto alone: one hash of 256 bytes, looked up'

export function measure({ credentials, effort }) {
  const { rounds, count } = effort.decisions
  const { fresh, seen, keys } = credentials
  const commands = {
    [control]: () => ['lookups', { count }],
    'cookie, session in memory': () => ['decisions', { way: 'cookie', count }],
    'header, HS256 seen before': () => ['decisions', { way: 'header', tokens: seen('HS256')(count) }],
    'header, HS256 first seen': () => ['decisions', { way: 'header', tokens: fresh('HS256')(count) }],
    'ticket, redeemed': () => ['decisions', { way: 'ticket', tokens: fresh('HS256')(count) }],
  }
  return withServers([['decisions', { keys }]], async (server) => {
    for (const command of Object.values(commands)) await server.call(...command()) // warms up
    const sample = async (command) => ((await server.call(...command())) / count) * 1e6
    const samples = await interleave(rounds, commands, sample)
    const beside = { row: control, samples: samples.get(control) }
    return Object.keys(commands).map((row) =>
      toRow({ scenario, unit, row, samples: samples.get(row), ...(row !== control && { control: beside }) }),
    )
  })
}
