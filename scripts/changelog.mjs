// CHANGELOG.md, the one place that says what has changed: a part for each version, the newest first, below what is unreleased.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

const file = join(root, 'CHANGELOG.md')
const unreleased = '## Unreleased\n'

/** The titles of its parts, from the top: `Unreleased`, then such as `0.2.0, 2026-03-01`. */
export function titles() {
  return [...readFileSync(file, 'utf8').matchAll(/^## (.+)$/gm)].map(([, title]) => title)
}

/** What the changelog says of a version, without its title; undefined where it says nothing. */
export function notesOf(version) {
  const [, ...parts] = readFileSync(file, 'utf8').split(/^## /m)
  const part = parts.find((text) => /^[^,\s]+/.exec(text)[0] === version)
  return part?.slice(part.indexOf('\n')).trim()
}

/** Gives what is unreleased the title of a version, and adds what its changesets say. */
export function addVersion(version, date, changes) {
  const text = readFileSync(file, 'utf8')
  const [before, after, another] = text.split(unreleased)
  if (after === undefined || another !== undefined) throw new Error('CHANGELOG.md has to have one part “## Unreleased”')
  const parts = [`${before}${unreleased}`, `## ${version}, ${date}`, changes, after.trim()]
  writeFileSync(
    file,
    `${parts
      .filter((part) => part.trim() !== '')
      .map((part) => part.trim())
      .join('\n\n')}\n`,
  )
}
