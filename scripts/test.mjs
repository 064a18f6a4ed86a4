// `npm test`: from a fresh clone to the test report: the whole suite on the Node.js that runs this, and in Bun, Deno and
// workerd what is for them; then what depends on the version on the other Node.js. `-- --runtimes=node` leaves all of these
// out; other arguments after `--` go to Vitest, and name a part.
import { bootstrap, prepareNodes, preparePrograms, prepareRuntimes } from './bootstrap.mjs'
import { installExamples } from './examples.mjs'
import { runSuite } from './suite.mjs'

const short = '--runtimes=node'
/** What runs in Bun, Deno and workerd. */
const withoutRuntimes = '--exclude=packages/server/test/runtimes/**'
/** What is the same whatever Node.js drives it: that, what runs in another engine, and what asks each Node.js already. */
const withoutOthers = [
  withoutRuntimes,
  '--exclude=packages/client/test/react-native.test.ts',
  '--exclude=packages/client/test/runtime.test.ts',
]
/** Every seam by its contract, and the client: what meets the runtime itself. */
const seams = ['packages/server/test/contract', 'packages/protocol', 'packages/client', ...withoutOthers]
/** All but the playground and the examples, which run in browsers and in other processes. */
const packages = ['packages/', ...withoutOthers]

await bootstrap()
await preparePrograms()
const nodes = await prepareNodes()
const isShort = process.argv.includes(short)
if (isShort) process.env.SALLYPORT_RUNTIMES = 'node'
else await prepareRuntimes()
await installExamples()

const extra = process.argv.slice(2).filter((argument) => argument !== short)
const major = Number.parseInt(process.versions.node, 10)
const others = isShort || extra.length > 0 ? [] : nodes.filter((node) => Number.parseInt(node.version, 10) !== major)

const mine = isShort ? [...extra, withoutRuntimes] : extra
const runs = [{ version: process.versions.node, ...(await runSuite({ filters: mine, isWhole: extra.length === 0 })) }]
for (const { version, path } of others) {
  console.log(`\nNode.js ${version}`)
  const filters = version === nodes.at(-1).version ? packages : seams
  runs.push({ version, ...(await runSuite({ node: path, filters })) })
}

const sum = (key) => runs.reduce((total, run) => total + run[key], 0)
const problems = runs.flatMap((run) => run.problems.map((problem) => `Node.js ${run.version}: ${problem}`))
const lines = runs.map(({ version, passed, failed }) => `Node.js ${version}: ${passed} of ${passed + failed}`)
console.log(['', ...lines, ...problems, `${sum('passed')} passed, ${sum('failed')} failed`].join('\n'))
process.exitCode = sum('failed') > 0 || problems.length > 0 ? 1 : 0
