// The changesets that wait: what each says, and the largest step that it is for any package.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

const folder = join(root, '.changeset')

/** Steps of a version, the largest first. */
export const steps = ['major', 'minor', 'patch']

/** Each changeset; without a `step` or a `summary` where it is broken. */
export function readChangesets() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => {
      const [, head = '', text = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(readFileSync(join(folder, name), 'utf8')) ?? []
      return { name, step: steps.find((step) => head.includes(`: ${step}`)), summary: text.trim() }
    })
}
