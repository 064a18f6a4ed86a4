import { expect, it } from 'vitest'
import { runFaults } from './faults.js'
import { lateFrames } from './history.js'
import { postgresThatBreaks, redisThatBreaks } from './shared.js'

const { FAULTS_SEED = '1', FAULTS_SECONDS = '20' } = process.env

const stores = [
  { on: 'Redis', start: redisThatBreaks },
  { on: 'PostgreSQL', start: postgresThatBreaks },
]

it.each(stores)(
  'I16 I02 I03 I04 I09 under faults at random no ticket has two winners, and no revocation is forgotten: on $on',
  {
    timeout: (Number(FAULTS_SECONDS) + 120) * 1_000,
  },
  async ({ on, start }) => {
    const history = await runFaults(await start(), Number(FAULTS_SEED), Number(FAULTS_SECONDS))
    const kinds = new Set(history.faults.map(({ name }) => name))
    process.stdout.write(
      `${on}, seed ${FAULTS_SEED}: ${history.tickets.length} tickets, ${history.revoked.length} revocations, ` +
        `${history.faults.length} faults (${[...kinds].join(', ')})\n`,
    )
    expect(history.surprises).toEqual([])
    expect(history.tickets.filter(({ winners }) => winners > 1)).toEqual([])
    expect(lateFrames(history)).toEqual([])
    // It was a run under load, and things broke.
    expect(history.tickets.filter(({ winners }) => winners === 1).length).toBeGreaterThan(20)
    expect(history.revoked.length).toBeGreaterThan(10)
    expect(history.faults.length).toBeGreaterThan(0)
  },
)
