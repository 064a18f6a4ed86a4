// The examples: which there are, and what each needs before it runs.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root, run } from './bootstrap.mjs'
import { installProject } from './install-project.mjs'

const folder = join(root, 'examples')

/** Their names and what each shows, such as `{ name: 'koa', description: 'Koa 3', runtime: 'node' }`. */
export const examples = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'package.json')))
  .map((name) => {
    const { description, sallyport } = readJson(`examples/${name}/package.json`)
    return { name, description, runtime: sallyport?.runtime ?? 'node' }
  })

/** The arguments by which a runtime runs a program. */
const runtimes = {
  node: ['--import', 'tsx'],
  bun: ['run'],
  deno: ['run', '--allow-all', '--quiet', '--no-check', '--node-modules-dir=manual', '--unstable-sloppy-imports'],
  // It runs no program: the one of its examples starts it.
  workerd: ['--import', 'tsx'],
}

/** The variable that names the program of the runtime of an example; `undefined` for this Node.js. */
export function runtimeVariableOf(name) {
  const { runtime } = examples.find((example) => example.name === name)
  return runtime === 'node' ? undefined : `${runtime.toUpperCase()}_PATH`
}

/** The command that runs an example, and its arguments. */
export function commandOf(name) {
  const { runtime } = examples.find((example) => example.name === name)
  const variable = runtime === 'workerd' ? undefined : runtimeVariableOf(name)
  return [variable ? process.env[variable] : process.execPath, [...runtimes[runtime], join(folder, name, 'server.ts')]]
}

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
