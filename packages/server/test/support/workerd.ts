import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { aliases, runtimePath } from './runtime.js'

/** A Worker in Cloudflare's runtime. */
export interface Workerd {
  readonly port: number
  /** What it has written to stderr. */
  readonly log: string
  stop(): Promise<void>
  /** Ends the process at once, and starts it again at another port, with what its objects have on disk. */
  restart(): Promise<void>
}

/** Runs a Worker of the tests in workerd; `objects` are the classes of its Durable Objects, by the names of their bindings. */
export async function startWorkerd(worker: URL, objects: Readonly<Record<string, string>> = {}): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-workerd-'))
  await mkdir(join(folder, 'disk'))
  await build({
    entryPoints: [fileURLToPath(worker)],
    outfile: join(folder, 'worker.js'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    external: ['node:*', 'cloudflare:*'],
    alias: aliases,
  })
  await writeFile(join(folder, 'config.capnp'), configOf(join(folder, 'disk'), objects))
  let running = await run(folder)
  return {
    get port() {
      return running.port
    },
    get log() {
      return running.log()
    },
    async stop() {
      await running.end()
      await rm(folder, { recursive: true })
    },
    async restart() {
      await running.end()
      running = await run(folder)
    },
  }
}

async function run(folder: string) {
  const child = spawn(runtimePath('WORKERD_PATH'), ['serve', join(folder, 'config.capnp'), '--control-fd=3'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr!.on('data', (chunk) => {
    log += chunk
  })
  const ended = once(child, 'close')
  const port = await new Promise<number>((resolve, reject) => {
    let text = ''
    child.stdio[3]!.on('data', (chunk: Buffer) => {
      text += chunk
      const listening = /"event":"listen"[^\n]*"port":(\d+)/.exec(text)
      if (listening) resolve(Number(listening[1]))
    })
    ended.then(() => reject(new Error(`workerd has ended: ${log}`)))
  })
  return {
    port,
    log: () => log,
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const configOf = (disk: string, objects: Readonly<Record<string, string>>): string => {
  const each = (line: (binding: string, name: string) => string) =>
    Object.entries(objects)
      .map(([binding, name]) => line(binding, name))
      .join(', ')
  const namespace = (_: string, name: string) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`
  const binding = (binding: string, name: string) => `(name = "${binding}", durableObjectNamespace = "${name}")`
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = "${disk}", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-07",
  compatibilityFlags = ["nodejs_compat"],
  durableObjectNamespaces = [${each(namespace)}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${each(binding)}],
);
`
}
