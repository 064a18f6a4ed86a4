// `npm run nightly`: a million broken inputs before the decision, a hundred thousand clients that go away, with an eye on
// memory, and five minutes in which nodes and Redis break at random; then the whole suite on the newest Node.js. FUZZ_INPUTS,
// LEAK_CYCLES, FUZZ_SEED, FAULTS_SECONDS and FAULTS_SEED are taken from the environment where they are given.
import { bootstrap, prepareNodes, preparePrograms, prepareRuntimes } from './bootstrap.mjs'
import { installExamples } from './examples.mjs'
import { runSuite } from './suite.mjs'

const { FUZZ_INPUTS = '1000000', LEAK_CYCLES = '100000', FAULTS_SECONDS = '300' } = process.env

await bootstrap()
await preparePrograms()
const newest = (await prepareNodes()).at(-1)
await prepareRuntimes()
await installExamples()

const long = await runSuite({
  filters: ['packages/server/test/fuzz', 'packages/server/test/nodes/faults'],
  env: { ...process.env, FUZZ_INPUTS, LEAK_CYCLES, FAULTS_SECONDS },
})
const whole = await runSuite({ node: newest.path })

const lines = long.testResults.flatMap(({ assertionResults }) =>
  assertionResults.map(({ status, fullName, duration = 0 }) => {
    return `${status.padEnd(6)} ${(duration / 1000).toFixed(1).padStart(7)} s  ${fullName}`
  }),
)
const problems = [...long.problems, ...whole.problems]
const failed = long.failed + whole.failed
console.log(
  [
    '',
    ...lines,
    `${FUZZ_INPUTS} inputs, ${LEAK_CYCLES} cycles, ${FAULTS_SECONDS} s of faults; the suite on Node.js ${newest.version}`,
    ...problems,
    `${long.passed + whole.passed} passed, ${failed} failed`,
  ].join('\n'),
)
process.exitCode = failed > 0 || problems.length > 0 ? 1 : 0
