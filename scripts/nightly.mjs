// `npm run nightly`: a million broken inputs before the decision, a hundred thousand clients that go away, with an eye on
// memory, and five minutes in which nodes and Redis break at random. FUZZ_INPUTS, LEAK_CYCLES, FUZZ_SEED, FAULTS_SECONDS
// and FAULTS_SEED are taken from the environment where they are given.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap, cache, fail, preparePrograms, root, run } from './bootstrap.mjs'

const { FUZZ_INPUTS = '1000000', LEAK_CYCLES = '100000', FAULTS_SECONDS = '300' } = process.env
const reportFile = join(cache, 'nightly.json')

await bootstrap()
await preparePrograms()
rmSync(reportFile, { force: true })
const code = await run(
  join(root, 'node_modules/.bin/vitest'),
  [
    'run',
    '--reporter=verbose',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    'packages/server/test/fuzz',
    'packages/server/test/nodes/faults',
  ],
  { ...process.env, FUZZ_INPUTS, LEAK_CYCLES, FAULTS_SECONDS },
)
if (!existsSync(reportFile)) fail(`Vitest ended with code ${code} and left no report.`)

const report = JSON.parse(readFileSync(reportFile, 'utf8'))
const lines = report.testResults.flatMap(({ assertionResults }) =>
  assertionResults.map(({ status, fullName, duration = 0 }) => {
    return `${status.padEnd(6)} ${(duration / 1000).toFixed(1).padStart(7)} s  ${fullName}`
  }),
)
const passed = report.numPassedTests
const isGood = code === 0 && passed > 0 && passed === report.numTotalTests
console.log(
  [
    '',
    ...lines,
    `${FUZZ_INPUTS} inputs, ${LEAK_CYCLES} cycles, ${FAULTS_SECONDS} s of faults: ${passed} of ${report.numTotalTests} tests passed`,
  ].join('\n'),
)
process.exitCode = isGood ? 0 : code || 1
