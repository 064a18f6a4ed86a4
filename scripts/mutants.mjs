// `npm run mutants`: removes the security checks of the server one at a time, and sees whether the tests notice.
//
//   --only TEXT   only the mutants of that area, or those whose file or purpose contains it
//   --jobs N      that many at a time, each in a copy of its own; default 2
//   --write       writes into docs/mutation.md what a run that passes shows, and runs nothing
//
// A mutant is `{ file, find, replace, tests, why }`: `find` occurs once in `file`, and at least one of `tests` fails when
// it is replaced. `why` says what happens then. `survives` explains one that no test can see.
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail, prepareRuntimes, root } from './bootstrap.mjs'

const areas = [
  'guard',
  'options',
  'decisions',
  'handshakes',
  'carriers',
  'verifiers',
  'keys',
  'logins',
  'tickets',
  'connections',
  'messages',
  'revocations',
  'limits',
  'adapters',
  'frameworks',
  'socket-io',
  'remote',
  'redis',
  'cloudflare',
  'stores',
]
const source = 'packages/server/src'
const testFolder = 'packages/server/test'
const page = join(root, 'docs/mutation.md')
const timeout = 120_000

/** What must die, or the copies are not what runs. */
const control = {
  file: 'verdict.ts',
  find: "code: reasons[reason], by: 'status'",
  replace: "code: reasons[reason], by: 'close'",
  tests: ['unit/guard/guard.test.ts'],
  why: 'the control',
}

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
})
const all = await readMutants()
if (options.write) {
  writeFileSync(page, pageWithResult())
  process.exit()
}
if (readFileSync(page, 'utf8') !== pageWithResult())
  fail('docs/mutation.md is not up to date: npm run mutants -- --write')
const mutants = all.filter(isWanted)
if (mutants.length === 0) fail('No mutant ran.')
const drifted = mutants.filter(({ file, find }) => occurrences(join(root, source, file), find) !== 1)
if (drifted.length > 0) fail(['These do not occur exactly once:', ...drifted.map(title)].join('\n'))
const missing = mutants.flatMap(({ tests }) => tests).filter((test) => !existsSync(join(root, testFolder, test)))
if (missing.length > 0) fail(['These tests do not exist:', ...new Set(missing)].join('\n'))

const folder = mkdtempSync(join(tmpdir(), 'sallyport-mutants-'))
const running = new Set()
process.on('exit', () => {
  for (const child of running) kill(child)
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const results = []
const copies = Array.from({ length: Math.max(1, Number(options.jobs)) }, (_, job) => makeCopy(join(folder, `${job}`)))
await prepareRuntimes()
await checkCopies()
const queue = [...mutants]
await Promise.all(copies.map(work))
finish()

async function readMutants() {
  const lists = areas.map(async (area) => {
    const { default: list } = await import(`./mutants/${area}.mjs`)
    return list.map((mutant) => ({ ...mutant, area }))
  })
  return (await Promise.all(lists)).flat()
}

function isWanted({ area, file, why }) {
  const { only = '' } = options
  return areas.includes(only) ? area === only : `${file}: ${why}`.includes(only)
}

function occurrences(path, text) {
  return existsSync(path) ? readFileSync(path, 'utf8').split(text).length - 1 : 0
}

/** A copy of the working tree, with the installed packages of the original except our own. */
function makeCopy(copy) {
  const isSource = (path) => !/\/(?:node_modules|dist)(?:\/|$)|\.tsbuildinfo$/.test(path)
  for (const name of [
    'packages',
    'scripts',
    'package.json',
    'vitest.config.ts',
    'vitest.setup.ts',
    'tsconfig.base.json',
    'tsconfig.test.json',
  ]) {
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: isSource })
  }
  mkdirSync(join(copy, 'node_modules/@sallyport'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name.startsWith('.') || name === '@sallyport') continue
    symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  }
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@sallyport', name))
  }
  return copy
}

/** The tests pass in a copy as it is, and fail in each where something is broken. */
async function checkCopies() {
  const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))]
  const unchanged = await test(copies[0], tests, 5 * timeout)
  if (unchanged.outcome !== 'survived') fail(`The tests fail without a mutant: ${unchanged.by}`)
  for (const copy of copies) {
    const { outcome } = await tryMutant(copy, control)
    if (outcome !== 'killed') fail(`The control has ${outcome}: the copies are not what runs.`)
  }
}

async function work(copy) {
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    const result = { mutant, ...(await tryMutant(copy, mutant)) }
    results.push(result)
    console.log(`${result.outcome.padEnd(8)} ${title(mutant)}${result.by ? `\n         by ${result.by}` : ''}`)
  }
}

async function tryMutant(copy, { file, find, replace, tests }) {
  const path = join(copy, source, file)
  const original = readFileSync(path, 'utf8')
  // As a function, because `$` has a meaning in a replacement.
  writeFileSync(
    path,
    original.replace(find, () => replace),
  )
  try {
    return await test(copy, tests, timeout)
  } finally {
    writeFileSync(path, original)
  }
}

/** Runs tests in a copy: `survived`, `killed` by a test, or `broken` when no test could say so. */
function test(copy, tests, limit) {
  const reportFile = join(copy, 'report.json')
  rmSync(reportFile, { force: true })
  const paths = tests.map((path) => join(testFolder, path))
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const flags = ['--bail=1', '--no-isolate', '--no-file-parallelism', '--reporter=json', `--outputFile=${reportFile}`]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, 'run', ...flags, ...paths], {
      cwd: copy,
      stdio: 'ignore',
      detached: true,
    })
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      kill(child)
    }, limit)
    running.add(child)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      running.delete(child)
      if (isLate) resolve({ outcome: 'killed', by: 'the time limit' })
      else resolve(existsSync(reportFile) ? judge(JSON.parse(readFileSync(reportFile, 'utf8'))) : { outcome: 'broken' })
    })
  })
}

function judge({ success, numPassedTests, testResults }) {
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed')
  if (failed) return { outcome: 'killed', by: failed.fullName }
  if (success && numPassedTests > 0) return { outcome: 'survived' }
  return { outcome: 'broken', by: testResults.find(({ message }) => message)?.message }
}

/** Ends a run with its workers. */
function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {}
}

/** The score, and what came out otherwise than it should. */
function finish() {
  const expected = ({ mutant }) => (mutant.survives ? 'survived' : 'killed')
  const wrong = results.filter((result) => result.outcome !== expected(result))
  const ran = results.map(({ mutant, outcome }) => ({ area: mutant.area, isKilled: outcome === 'killed' }))
  console.log(`\n${table(ran)}\n`)
  for (const result of wrong) console.log(`${result.outcome}, not ${expected(result)}: ${title(result.mutant)}`)
  process.exit(wrong.length > 0 ? 1 : 0)
}

function table(list) {
  const row = (name, some) => {
    const killed = some.filter(({ isKilled }) => isKilled).length
    return `| ${name} | ${some.length} | ${killed} | ${some.length - killed} | ${((100 * killed) / some.length).toFixed(1)} % |`
  }
  const present = areas.filter((name) => list.some(({ area }) => area === name))
  const rows = present.map((name) =>
    row(
      name,
      list.filter(({ area }) => area === name),
    ),
  )
  return ['| area | mutants | killed | survive | score |', '|---|---|---|---|---|', ...rows, row('all', list)].join(
    '\n',
  )
}

/** The page with what a run that passes shows: the lists say what is to die, and a run fails where they are wrong. */
function pageWithResult() {
  const [begin, end] = ['<!-- written by `npm run mutants -- --write` -->', '<!-- end of what was written -->']
  const text = readFileSync(page, 'utf8')
  const [before, rest = ''] = text.split(begin)
  const after = rest.split(end)[1]
  if (after === undefined) fail(`docs/mutation.md lacks ${begin} or ${end}`)
  const survivors = all.filter(({ survives }) => survives)
  const lines = survivors.map(
    ({ file, find, why, survives }) => `- \`${file}\`, \`${firstLine(find)}\`: ${why}. ${survives}`,
  )
  const score = table(all.map(({ area, survives }) => ({ area, isKilled: !survives })))
  return `${before}${begin}\n\n${score}\n\n## Those that survive\n\n${lines.join('\n')}\n\n${end}${after}`
}

function firstLine(text) {
  return text.trim().split('\n')[0]
}

function title({ file, find, why }) {
  return `${file}: ${why} (${firstLine(find)})`
}
