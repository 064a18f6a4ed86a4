// What `guard.decide` costs by itself, so that adapters on faster servers know what is the guard's part of a handshake; and
// what a whole handshake costs, from the TCP connection to its end, as `upgrades` has found it in the same run.
import { withServers } from '../process.mjs'
import { interleave } from '../rounds.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'decisions'

const unit = 'µs of CPU'
const control = 'node:crypto alone: one hash of 256 bytes, looked up'

const whole = [
  'bare ws',
  'bound: bare ws and the least that a guard does',
  'cookie, session in memory',
  'header, HS256 seen before',
  'header, HS256 first seen',
  'ticket',
  'first message, HS256 seen before',
]

export async function measure({ credentials, effort, measured }) {
  return [...(await measureDecisions({ credentials, effort })), ...wholeHandshakes(measured)]
}

function wholeHandshakes(measured) {
  const upgrades = measured.filter(({ scenario, row }) => scenario === 'upgrades' && whole.includes(row))
  const bare = upgrades.find(({ row }) => row === 'bare ws')
  return upgrades.map(({ row, value, min, max }) => ({
    scenario,
    row: `whole handshake: ${row}`,
    unit,
    value: 1e6 / value,
    min: 1e6 / max,
    max: 1e6 / min,
    ...(row !== 'bare ws' && { control: 'whole handshake: bare ws', ratio: bare.value / value }),
  }))
}

function measureDecisions({ credentials, effort }) {
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
