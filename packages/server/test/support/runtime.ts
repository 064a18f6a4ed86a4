import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll } from 'vitest'
import type { StartScene } from '../contract/adapter.js'
import type { SceneControl } from '../contract/scene.js'

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
const programs = fileURLToPath(new URL('../runtimes/', import.meta.url))
// Beside the packages of the repository, which the runtimes find from here.
const folder = fileURLToPath(new URL('../../../../node_modules/.cache/sallyport/runtimes/', import.meta.url))

/** What our packages are made of, for programs that run in another runtime. */
export const aliases = {
  '@sallyport/protocol': fileURLToPath(new URL('../../../protocol/src/index.ts', import.meta.url)),
  '@sallyport/server/bun': source('adapters/bun/guard-bun.ts'),
  '@sallyport/server/deno': source('adapters/deno/guard-deno.ts'),
  '@sallyport/server/workers': source('adapters/workers/guard-workers.ts'),
  '@sallyport/server/durable-objects': source('adapters/durable-objects/guarded-object.ts'),
  '@sallyport/server/ws': source('adapters/ws/guard-server.ts'),
  '@sallyport/server/testing': source('testing/clock.ts'),
  '@sallyport/server': source('index.ts'),
}

/** The runtimes, and how each runs a program. */
const runtimes = {
  bun: { variable: 'BUN_PATH', args: ['run'] },
  deno: { variable: 'DENO_PATH', args: ['run', '--allow-all', '--quiet', '--node-modules-dir=manual'] },
}

/** The program of a runtime that the scripts have brought. */
export function runtimePath(variable: string): string {
  const path = process.env[variable]
  if (!path) throw new Error(`${variable} names no program: npm test brings it`)
  return path
}

/** Runs a program of `test/runtimes` in a runtime for the tests of a file. Answers what starts scenes in it. */
export function scenesIn(runtime: keyof typeof runtimes, program: string): StartScene {
  const control = portOf(runtime, program)
  return (setting) => remoteScene(`http://127.0.0.1:${control()}/`, setting)
}

/** Runs such a program. The answer tells its port, which the program says by a line of its own. */
export function portOf(runtime: keyof typeof runtimes, program: string): () => number {
  const { variable, args } = runtimes[runtime]
  const outfile = `${folder}${program}-${runtime}-${process.pid}.mjs`
  let port = 0

  beforeAll(async () => {
    await mkdir(folder, { recursive: true })
    await build({
      entryPoints: [`${programs}${program}.ts`],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'esnext',
      logLevel: 'silent',
      packages: 'external',
      alias: aliases,
    })
    const child = spawn(runtimePath(variable), [...args, outfile], { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = once(child, 'close')
    const [line] = await Promise.race([
      once(createInterface(child.stdout), 'line'),
      gone.then(([code]) => Promise.reject(new Error(`${runtime} has ended with ${code}`))),
    ])
    port = Number(line)
    return async () => {
      child.kill('SIGKILL')
      await gone
      await rm(outfile)
    }
  }, 60_000)

  return () => port
}

/** A scene in another process, which is asked by POSTs to `url`. */
export async function remoteScene(url: string, setting: unknown = {}): Promise<SceneControl> {
  async function call(method: string, args: readonly unknown[]): Promise<unknown> {
    // On a connection of its own: an idle one may be closed just when it is used again.
    const init = { method: 'POST', headers: { Connection: 'close' }, body: JSON.stringify({ method, args }) }
    const response = await fetch(url, init)
    const { result, error } = (await response.json()) as { result?: unknown; error?: string }
    if (error !== undefined) throw new Error(error)
    return result
  }
  const port = await call('start', [setting])
  return new Proxy({} as SceneControl, {
    get(_, name: string) {
      if (name === 'port') return port
      // What is awaited is asked whether it is a promise.
      return name === 'then' ? undefined : (...args: readonly unknown[]) => call(name, args)
    },
  })
}
