// Folders with dependencies of their own, which nobody has to install who does not ask for them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from './bootstrap.mjs'

/** Installs the dependencies of a folder, at the versions of its lockfile, where they are not there yet. */
export async function installProject(folder) {
  const wanted = lockOf(join(folder, 'package-lock.json'))
  const present = lockOf(join(folder, 'node_modules/.package-lock.json'))
  // What is optional may be for another platform.
  const isThere = ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version
  if (Object.entries(wanted).every(isThere)) return
  await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder])
}

function lockOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}
