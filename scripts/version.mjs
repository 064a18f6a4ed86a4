// `npm run version`: the next version, by the changesets that wait, in every package.json and in CHANGELOG.md. Without a changeset
// it is the version that stands there, if that was never released.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, readJson, root } from './bootstrap.mjs'
import { addVersion, notesOf } from './changelog.mjs'

const folder = join(root, '.changeset')
const steps = ['major', 'minor', 'patch']

const changes = readdirSync(folder)
  .filter((name) => name.endsWith('.md') && name !== 'README.md')
  .map((name) => readChange(readFileSync(join(folder, name), 'utf8')))
if (changes.length > 0) must('npx', ['changeset', 'version'])

const { version } = readJson('packages/server/package.json')
if (notesOf(version) !== undefined)
  fail(`${version} is in CHANGELOG.md already: write a changeset first, by npx changeset.`)
addVersion(version, new Date().toISOString().slice(0, 10), listOf(changes))
must('npm', ['install', '--package-lock-only', '--ignore-scripts'])
console.log(`Now commit it as “Release ${version}”, and push the tag v${version}.`)

/** The largest step that it is for any package, and what it says. */
function readChange(text) {
  const [, head, summary] = /^---\n(.*?)\n---\n(.*)$/s.exec(text)
  return { step: steps.find((step) => head.includes(`: ${step}`)), summary: summary.trim().replaceAll('\n', '\n  ') }
}

function listOf(changes) {
  return steps
    .map((step) => [step, changes.filter((change) => change.step === step)])
    .filter(([, some]) => some.length > 0)
    .map(([step, some]) =>
      [`### ${step[0].toUpperCase()}${step.slice(1)}`, '', ...some.map(({ summary }) => `- ${summary}`)].join('\n'),
    )
    .join('\n\n')
}

function must(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
