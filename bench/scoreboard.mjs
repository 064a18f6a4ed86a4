import { createCredentials } from './credentials.mjs'
import { describeMachine, describeVersions, takeLoadCore } from './machine.mjs'
import { printHead, printRows } from './report.mjs'
import * as refusals from './scenarios/refusals.mjs'
import * as upgrades from './scenarios/upgrades.mjs'

const scenarios = [upgrades, refusals]

const efforts = {
  full: { handshakes: { rounds: 7, count: 4_000, warmup: 6_000 } },
  quick: { handshakes: { rounds: 5, count: 600, warmup: 3_000 } },
}

/** Measures what is asked for, prints it, and answers the figures. */
export async function measureAll({ quick, only }) {
  takeLoadCore()
  const head = { machine: describeMachine(), versions: describeVersions(), date: new Date().toISOString() }
  printHead(head)
  const credentials = createCredentials()
  const effort = efforts[quick ? 'quick' : 'full']
  const rows = []
  for (const { scenario, measure } of scenarios) {
    const wants = (row = '') => `${scenario} ${row}`.includes(only)
    const measured = await measure({ credentials, effort, wants })
    printRows(measured)
    rows.push(...measured)
  }
  return { ...head, rows }
}
export function draw() {}
