// One run of the tests, and what is to be said of it.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache, fail, root, run } from './bootstrap.mjs'

const reportFile = join(cache, 'vitest.json')

/**
 * Runs tests, on the Node.js that runs this or on another, and tells how many passed, how many failed, and the problems
 * that no number shows.
 * - `filters` for Vitest: files and folders, and its options
 * - `isWhole`: nothing but what they name was to run, so none of it may be skipped
 */
export async function runSuite({ node = process.execPath, filters = [], isWhole = true, env = process.env }) {
  rmSync(reportFile, { force: true })
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const code = await run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...options, ...filters], env)
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
  if (silent > 0 && isWhole) problems.push(`${silent} tests did not run: the suite has no skipped tests.`)
  if (code !== 0 && failed === 0) problems.push(`Vitest ended with code ${code}, though no test failed: see above.`)
  return { passed, failed, problems, testResults: report.testResults }
}
