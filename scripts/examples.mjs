// The examples: which there are, and what each needs before it runs.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root } from './bootstrap.mjs'
import { installProject } from './install-project.mjs'

const folder = join(root, 'examples')

/** Their names and what each shows, such as `{ name: 'koa', description: 'Koa 3' }`. */
export const examples = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'package.json')))
  .map((name) => ({ name, description: readJson(`examples/${name}/package.json`).description }))

/** The program of an example. */
export const programOf = (name) => join(folder, name, 'server.ts')

/** Installs what an example needs. */
export const installExample = (name) => installProject(join(folder, name))
