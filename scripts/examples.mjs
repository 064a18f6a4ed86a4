// The examples: which there are, and what each needs before it runs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root, run } from './bootstrap.mjs'

const folder = join(root, 'examples')

/** Their names and what each shows, such as `{ name: 'koa', description: 'Koa 3' }`. */
export const examples = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'package.json')))
  .map((name) => ({ name, description: readJson(`examples/${name}/package.json`).description }))

/** The program of an example. */
export const programOf = (name) => join(folder, name, 'server.ts')

/** Installs the dependencies of an example, at the versions of its lockfile, where they are not there yet. */
export async function installExample(name) {
  const path = join(folder, name)
  const wanted = lockOf(join(path, 'package-lock.json'))
  const present = lockOf(join(path, 'node_modules/.package-lock.json'))
  const isThere = ([where, { version }]) => where === '' || present[where]?.version === version
  if (Object.entries(wanted).every(isThere)) return
  const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', path])
  if (code !== 0) process.exit(code)
}

function lockOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}
