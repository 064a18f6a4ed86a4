// `npm run bench`: the scoreboard. Speed is reported and never fails; a server that accepts or refuses what it should not does.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bootstrap, fail, preparePrograms, prepareRuntimes } from '../scripts/bootstrap.mjs'

const usage = `npm run bench -- [options]
  --quick        less of everything: a few minutes
  --only TEXT    only scenarios, or rows of upgrades and refusals, whose name contains it
  --json FILE    writes the figures, behind each scenario
  --write FILE   measures nothing: writes the tables and the chart of docs/benchmarks.md from such figures`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    write: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(usage)
else {
  await bootstrap()
  if (!options.write) {
    await preparePrograms('redis-server', 'postgresql')
    await prepareRuntimes('BUN_PATH', 'DENO_PATH')
  }
  // Not before: what they import may not be installed yet.
  const { measureAll } = await import('./scoreboard.mjs')
  const { writePage } = await import('./report.mjs')
  try {
    if (options.write) writePage(JSON.parse(readFileSync(options.write, 'utf8')))
    else await measureAll(options, keep)
  } catch (error) {
    fail(`The bench failed: ${error.stack}`)
  }
}

function keep(figures) {
  if (options.json) writeFileSync(options.json, `${JSON.stringify(figures, undefined, 2)}\n`)
}
