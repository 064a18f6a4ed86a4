// The examples: which there are, and what each needs before it runs.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { must, readJson, root } from './bootstrap.mjs'
import { fetchPackages } from './fetch-packages.mjs'
import { installProject } from './install-project.mjs'

const folder = join(root, 'examples')

/** Their names and what each shows, such as `{ name: 'koa', description: 'Koa 3', runtime: 'node' }`. */
export const examples = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'package.json')))
  .map((name) => {
    const { description, sallyport } = readJson(`examples/${name}/package.json`)
    return { name, description, runtime: sallyport?.runtime ?? 'node' }
  })

/** Whether an example is an application of a client, and no server. */
export const isApplication = (name) => examples.find((example) => example.name === name).runtime === 'expo'

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

/** What React Native's own `WebSocket` and `fetch` stand on, which the tests of the client run. */
const underReactNative = { 'base64-js': '1.5.1', invariant: '2.2.4', 'whatwg-fetch': '3.6.20' }

/** Installs what an example needs, and builds it where its stack has to be built. */
export async function installExample(name) {
  const { dependencies, scripts } = readJson(`examples/${name}/package.json`)
  // An Expo project stands on a thousand packages. Nobody runs it here: its types are checked.
  if (isApplication(name)) return fetchPackages(join(folder, name), { ...dependencies, ...underReactNative })
  await installProject(join(folder, name))
  if (scripts?.build) await must('npm', ['run', 'build', '--silent', '--prefix', join(folder, name)])
}
