// `npm run version`: the next version, by the changesets that wait, in every package.json and in CHANGELOG.md. Without a changeset
// it is the version that stands there, if that was never released.
import { spawnSync } from 'node:child_process'
import { fail, readJson, root } from './bootstrap.mjs'
import { addVersion, notesOf } from './changelog.mjs'
import { readChangesets, steps } from './changesets.mjs'

const changes = readChangesets()
if (changes.length > 0) must('npx', ['changeset', 'version'])

const { version } = readJson('packages/server/package.json')
if (notesOf(version) !== undefined)
  fail(`${version} is in CHANGELOG.md already: write a changeset first, by npx changeset.`)
addVersion(version, new Date().toISOString().slice(0, 10), partsOf(changes))
must('npm', ['install', '--package-lock-only', '--ignore-scripts'])
console.log(`Now commit it as “Release ${version}”, and push the tag v${version}.`)

/** What changed, by the size of the step: the parts of a version in the changelog. */
function partsOf(changes) {
  return steps
    .map((step) => [step, changes.filter((change) => change.step === step)])
    .filter(([, some]) => some.length > 0)
    .map(([step, some]) => {
      const lines = some.map(({ summary }) => `- ${summary.replaceAll('\n', '\n  ')}`)
      return `### ${step[0].toUpperCase()}${step.slice(1)}\n\n${lines.join('\n')}`
    })
    .join('\n\n')
}

function must(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
