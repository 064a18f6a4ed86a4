// The licence of everything that stands in a lockfile: of what comes with our packages, and of what only builds and tests them.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import satisfies from 'spdx-satisfies'
import { readJson, root } from './bootstrap.mjs'
import { folders } from './consumers.mjs'
import { report } from './report.mjs'

const permissive = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0']
/** Allowed beside these where we hand nothing on: what asks for its own changes alone, and data. */
const here = [...permissive, 'MPL-2.0', 'LGPL-3.0-or-later', 'Python-2.0', 'CC0-1.0', 'CC-BY-3.0', 'CC-BY-4.0']

/** Packages whose manifest does not tell; read in the licence that they bring. */
const told = {
  busboy: 'MIT',
  'passport-strategy': 'MIT',
  pause: 'MIT',
  spawndamnit: 'MIT',
  streamsearch: 'MIT',
  'xmlhttprequest-ssl': 'MIT',
}

const lockfiles = ['.', 'site', ...readdirSync(join(root, 'examples')).map((name) => `examples/${name}`)]
  .map((folder) => join(folder, 'package-lock.json'))
  .filter((file) => existsSync(join(root, file)))

const published = publishedPackages()
const used = new Set()
const problems = []
let checked = 0
for (const file of lockfiles) {
  for (const [path, { link, license }] of Object.entries(readJson(file).packages)) {
    if (link || !path.includes('node_modules/')) continue
    const name = nameOf(path)
    if (!license || license.startsWith('SEE ')) used.add(name)
    const licence = told[name] ?? license ?? 'none that its manifest tells'
    const isPublished = file === 'package-lock.json' && published.has(path)
    checked += 1
    if (!isAllowed(licence, isPublished ? permissive : here))
      problems.push(`${file}: ${name} has the licence ${licence}${isPublished ? ', and comes with our packages' : ''}`)
  }
}
for (const name of Object.keys(told).filter((name) => !used.has(name)))
  problems.push(`scripts/check-licences.mjs: ${name} tells its licence itself`)
if (published.size === 0) problems.push('no dependency of ours was found')
report(problems, `${checked} licences, ${published.size} of them of what comes with our packages`)

function isAllowed(licence, allowed) {
  try {
    return satisfies(licence, allowed)
  } catch {
    return false // it is no expression
  }
}

/** The dependencies of the packages, and theirs, as paths in the lockfile. A peer is chosen by who installs it. */
function publishedPackages() {
  const { packages } = readJson('package-lock.json')
  const found = new Set()
  const visit = (from) => {
    for (const name of Object.keys({ ...packages[from].dependencies, ...packages[from].optionalDependencies })) {
      const path = resolve(packages, from, name)
      if (path === undefined || found.has(path)) continue
      if (!packages[path].link) found.add(path)
      visit(packages[path].link ? packages[path].resolved : path)
    }
  }
  for (const folder of folders) visit(folder)
  return found
}

/** Where a package finds another: beside itself, or further out. */
function resolve(packages, from, name) {
  for (let place = from; ; place = place.replace(/(^|\/)[^/]*$/, '')) {
    const path = `${place ? `${place}/` : ''}node_modules/${name}`
    if (packages[path]) return path
    if (place === '') return undefined
  }
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}
