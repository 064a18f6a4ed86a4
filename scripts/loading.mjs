// Loads entry points in the runtimes themselves: a name that a module lacks there, or a global, fails nowhere else.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { cache, root } from './bootstrap.mjs'

/** The problems of loading entry points by their names in Bun and in Deno, which find them in `node_modules`. */
export function loadInServers(names) {
  const program = `
    for (const name of ${JSON.stringify(names)}) {
      const problem = await import(name).then(
        (module) => (Object.keys(module).length === 0 ? 'it exports nothing' : undefined),
        (error) => error.message,
      )
      if (problem) console.log(name + ': ' + problem)
    }
    console.log('done')
    process.exit()
  `
  return inFolder((folder) => {
    const file = join(folder, 'load.mjs')
    writeFileSync(file, program)
    return [
      ...told('Bun', process.env.BUN_PATH, ['run', file]),
      ...told('Deno', process.env.DENO_PATH, ['run', '--allow-all', '--node-modules-dir=manual', file]),
    ]
  })
}

/** The problems of loading entry points in workerd, each bundled as for a deployment, on the first day that they are for. */
export function loadInWorkers(names) {
  return inFolder(async (folder) => {
    const services = await Promise.all(names.map((name, index) => bundle(folder, name, `entry${index}`)))
    const config = join(folder, 'config.capnp')
    writeFileSync(
      config,
      `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = (services = [${services.join(', ')}]);\n`,
    )
    const { status, stderr } = spawnSync(process.env.WORKERD_PATH, ['test', config], { encoding: 'utf8' })
    const lines = stderr.split('\n').filter((line) => /\[ FAIL \]|Uncaught/.test(line))
    return status === 0 ? [] : [`workerd: ${lines.join(' ') || stderr}`]
  })
}

async function bundle(folder, name, file) {
  await build({
    stdin: {
      contents: `
        import * as module from '${name}'
        export default { test() { if (Object.keys(module).length === 0) throw new Error('${name} exports nothing') } }
      `,
      resolveDir: root,
    },
    outfile: join(folder, `${file}.mjs`),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    external: ['node:*', 'cloudflare:*'],
    logLevel: 'error',
  })
  const modules = `[(name = "worker", esModule = embed "${file}.mjs")]`
  const settings = 'compatibilityDate = "2025-04-01", compatibilityFlags = ["nodejs_compat"]'
  return `(name = "${name}", worker = (modules = ${modules}, ${settings}))`
}

function told(runtime, path, args) {
  const { stdout, stderr } = spawnSync(path, args, { cwd: root, encoding: 'utf8', timeout: 60_000 })
  const lines = stdout.trim().split('\n')
  if (lines.pop() !== 'done') return [`${runtime} ended before it had loaded all: ${stderr}`]
  return lines.map((line) => `${runtime}: ${line}`)
}

/** Does something in a folder inside the repository, from where packages are found, and removes it. */
async function inFolder(use) {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'load-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
