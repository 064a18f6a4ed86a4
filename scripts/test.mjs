// `npm test`: from a fresh clone to the test report. Arguments after `--` go to Vitest.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap, cache, fail, prepareNodes, preparePrograms, root, run } from './bootstrap.mjs'
import { installExamples } from './examples.mjs'

await bootstrap()
await preparePrograms()
await prepareNodes()
await installExamples()

const extra = process.argv.slice(2)
const reportFile = join(cache, 'vitest.json')
rmSync(reportFile, { force: true })
const code = await run(join(root, 'node_modules/.bin/vitest'), [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reportFile}`,
  ...extra,
])
if (!existsSync(reportFile)) fail(`Vitest ended with code ${code} and left no report.`)

const report = JSON.parse(readFileSync(reportFile, 'utf8'))
const passed = report.numPassedTests
// A file that failed outside its tests (it did not load, or a hook threw) counts as one failure: its tests never spoke.
const brokenFiles = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
)
const failed = report.numFailedTests + brokenFiles.length
const silent = report.numTotalTests - passed - report.numFailedTests

const problems = []
if (passed + failed === 0) problems.push('No test ran.')
// With arguments a part of the suite was asked for; without, every test must speak.
if (silent > 0 && extra.length === 0) problems.push(`${silent} tests did not run: the suite has no skipped tests.`)
if (code !== 0 && failed === 0) problems.push(`Vitest ended with code ${code}, though no test failed: see above.`)

console.log(['', ...problems, `${passed} passed, ${failed} failed`].join('\n'))
process.exitCode = failed > 0 || problems.length > 0 ? code || 1 : 0
