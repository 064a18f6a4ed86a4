// Packages of npm alone, without what they depend on: for who reads their types or a file of theirs, and runs nothing else.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cache, must } from './bootstrap.mjs'

/** Puts packages at their exact versions, as `{ react: '19.3.0' }`, into the `node_modules` of a folder, where they are not there yet. */
export async function fetchPackages(folder, packages) {
  const missing = Object.entries(packages).filter(([name, version]) => versionIn(placeOf(name)) !== version)
  if (missing.length === 0) return
  mkdirSync(cache, { recursive: true })
  const scratch = mkdtempSync(join(cache, 'packages-'))
  const specs = missing.map(([name, version]) => `${name}@${version}`)
  await must('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch, ...specs])
  for (const [name, version] of missing) {
    const archive = `${name.replace('@', '').replace('/', '-')}-${version}`
    const unpacked = join(scratch, archive)
    mkdirSync(unpacked)
    await must('tar', ['-xzf', join(scratch, `${archive}.tgz`), '-C', unpacked, '--strip-components=1'])
    rmSync(placeOf(name), { recursive: true, force: true })
    mkdirSync(dirname(placeOf(name)), { recursive: true })
    renameSync(unpacked, placeOf(name)) // whole, or not there
  }
  rmSync(scratch, { recursive: true })

  function placeOf(name) {
    return join(folder, 'node_modules', name)
  }
}

function versionIn(place) {
  const file = join(place, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}
