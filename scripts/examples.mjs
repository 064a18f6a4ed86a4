// The examples: which there are, and what each needs before it runs.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root, run } from './bootstrap.mjs'
import { installProject } from './install-project.mjs'

const folder = join(root, 'examples')

/** Their names and what each shows, such as `{ name: 'koa', description: 'Koa 3' }`. */
export const examples = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'package.json')))
  .map((name) => ({ name, description: readJson(`examples/${name}/package.json`).description }))

/** The program of an example. */
export const programOf = (name) => join(folder, name, 'server.ts')

/** The environment that it runs in: its TypeScript is that of the examples, decorators and all. */
export const environmentOf = () => ({ ...process.env, TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json') })

/** Installs all of them, several at a time: most of it is waiting for the registry. */
export async function installExamples() {
  const left = [...examples]
  const installNext = async () => {
    for (let next = left.shift(); next; next = left.shift()) await installExample(next.name)
  }
  await Promise.all(Array.from({ length: 4 }, installNext))
}

/** Installs what an example needs, and builds it where its stack has to be built. */
export async function installExample(name) {
  await installProject(join(folder, name))
  if (!readJson(`examples/${name}/package.json`).scripts?.build) return
  const code = await run('npm', ['run', 'build', '--silent', '--prefix', join(folder, name)])
  if (code !== 0) process.exit(code)
}
