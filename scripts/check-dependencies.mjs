// Every dependency has its reason in docs/dependencies.md, and every reason its dependency. None asks for another Node.js than
// ours, or its warning would be the first that a newcomer reads.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root } from './bootstrap.mjs'
import { report } from './report.mjs'

const page = 'docs/dependencies.md'

const manifests = (folder) => readdirSync(join(root, folder)).map((name) => readJson(`${folder}/${name}/package.json`))
const declared = {
  Packages: manifests('packages').flatMap((manifest) => names(manifest.dependencies, manifest.peerDependencies)),
  Playground: manifests('apps').flatMap((manifest) => names(manifest.dependencies)),
  Bench: names(readJson('bench/package.json').dependencies),
  Site: names(readJson('site/package.json').dependencies),
  Development: [readJson('package.json'), ...manifests('packages'), ...manifests('apps')].flatMap((manifest) =>
    names(manifest.devDependencies),
  ),
}
const explained = readPage()

const problems = []
for (const [section, dependencies] of Object.entries(declared)) {
  const reasons = explained[section] ?? []
  for (const name of new Set(dependencies)) {
    if (!reasons.includes(name)) problems.push(`${page}: ${name} has no line under “${section}”`)
  }
  for (const name of reasons) {
    if (!dependencies.includes(name)) problems.push(`${page}: no package.json asks for ${name}, under “${section}”`)
  }
}
const { status, stderr } = spawnSync('npm', ['ci', '--dry-run', '--engine-strict', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
})
if (status !== 0) problems.push(stderr.trim())
report(problems, `${Object.values(explained).flat().length} dependencies have their reasons`)

function names(...groups) {
  return groups.flatMap((group) => Object.keys(group ?? {})).filter((name) => !name.startsWith('@sallyport/'))
}

/** The first cell of each table row, by section: `| \`name\` | reason |` under `## Section`. */
function readPage() {
  const sections = {}
  let section
  for (const line of readFileSync(join(root, page), 'utf8').split('\n')) {
    section = /^## (.+)$/.exec(line)?.[1] ?? section
    const name = /^\| `([^`]+)` \| .*\S.* \|$/.exec(line)?.[1]
    if (name) sections[section] = [...(sections[section] ?? []), name]
  }
  return sections
}
