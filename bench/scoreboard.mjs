// All scenarios, one after the other, and how much of each.
import { createCredentials } from './credentials.mjs'
import { describeMachine, describeVersions, takeLoadCore } from './machine.mjs'
import { warnOfNoise } from './noise.mjs'
import { printGoals, printHead, printRows, printUnsteady } from './report.mjs'
import * as bundle from './scenarios/bundle.mjs'
import * as decisions from './scenarios/decisions.mjs'
import * as echo from './scenarios/echo.mjs'
import * as growth from './scenarios/growth.mjs'
import * as memory from './scenarios/memory.mjs'
import * as reconnection from './scenarios/reconnection.mjs'
import * as refusals from './scenarios/refusals.mjs'
import * as revocation from './scenarios/revocation.mjs'
import * as runtimes from './scenarios/runtimes.mjs'
import * as stacks from './scenarios/stacks.mjs'
import * as tickets from './scenarios/tickets.mjs'
import * as upgrades from './scenarios/upgrades.mjs'

const scenarios = [
  upgrades,
  refusals,
  decisions,
  echo,
  stacks,
  runtimes,
  memory,
  tickets,
  revocation,
  reconnection,
  growth,
  bundle,
]

const efforts = {
  full: {
    handshakes: { rounds: 31, count: 1_000, warmup: 20_000 },
    decisions: { rounds: 5, count: 20_000 },
    echo: { rounds: 5, '64 B': 100_000, '16 KiB': 20_000 },
    memory: { rounds: 5, connections: 10_000 },
    tickets: { rounds: 5, count: 200_000, overRedis: 50_000, overPostgres: 10_000 },
    revocation: { rounds: 5, few: 1_000, many: 10_000, users: 1_020 },
    reconnection: { rounds: 5, clients: 10_000 },
    growth: { rounds: 5, sizes: [1_000, 5_000, 10_000, 15_000], count: 2_000 },
  },
  quick: {
    handshakes: { rounds: 3, count: 150, warmup: 400 },
    decisions: { rounds: 3, count: 3_000 },
    echo: { rounds: 3, '64 B': 10_000, '16 KiB': 2_000 },
    memory: { rounds: 3, connections: 400 },
    tickets: { rounds: 3, count: 10_000, overRedis: 5_000, overPostgres: 1_000 },
    revocation: { rounds: 3, few: 400, many: 2_000, users: 220 },
    reconnection: { rounds: 3, clients: 1_000 },
    growth: { rounds: 3, sizes: [500, 1_500, 3_000], count: 300 },
  },
}

/**
 * Measures what is asked for and prints it. `only`: what a scenario, or a row of handshakes, contains. `keep` is given the
 * figures behind each scenario, so that a run which is cut off leaves those that it has.
 */
export async function measureAll({ quick, only }, keep) {
  takeLoadCore()
  const head = { machine: describeMachine(), versions: describeVersions(), date: new Date().toISOString() }
  printHead(head)
  const credentials = createCredentials()
  const effort = efforts[quick ? 'quick' : 'full']
  const rows = []
  const named = scenarios.filter(({ scenario }) => scenario === only)
  for (const { scenario, measure } of named.length > 0 ? named : scenarios) {
    const wants = (row) => `${scenario} ${row}`.includes(only)
    const isOfHandshakes = ['upgrades', 'refusals', 'stacks', 'runtimes'].includes(scenario)
    if (!isOfHandshakes && !wants('')) continue
    const measured = await naming(scenario, () => measure({ credentials, effort, wants, measured: rows }))
    printRows(measured)
    rows.push(...measured)
    keep({ ...head, rows })
  }
  if (rows.length === 0) throw new Error(`--only ${JSON.stringify(only)} names nothing`)
  printGoals(rows)
  printUnsteady(rows)
  if (quick) warnOfNoise(rows)
}

async function naming(scenario, act) {
  try {
    return await act()
  } catch (error) {
    throw new Error(`${scenario}: ${error.message}`, { cause: error })
  }
}
