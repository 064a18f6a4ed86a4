// Bundles a Worker, and serves it in workerd as Cloudflare does: for the tests and the bench.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Serves a Worker: `source` says to esbuild where it is, `objects` are the classes of its Durable Objects by their bindings. */
export async function serveWorker(source, objects = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-workerd-'))
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  await build({
    outfile: join(folder, 'worker.js'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    external: ['node:*', 'cloudflare:*'],
    ...source,
  })
  const config = join(folder, 'config.capnp')
  writeFileSync(config, configOf(disk, objects))
  let running = await run(config)
  return {
    get port() {
      return running.port
    },
    get pid() {
      return running.pid
    },
    get log() {
      return running.log()
    },
    async stop() {
      await running.end()
      rmSync(folder, { recursive: true })
    },
    async restart() {
      await running.end()
      running = await run(config)
    },
  }
}

async function run(config) {
  const program = process.env.WORKERD_PATH
  if (!program) throw new Error('WORKERD_PATH names no workerd: npm test brings it')
  const child = spawn(program, ['serve', config, '--control-fd=3'], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  const ended = once(child, 'close')
  const port = await new Promise((resolve, reject) => {
    let text = ''
    child.stdio[3].on('data', (chunk) => {
      text += chunk
      const listening = /"event":"listen"[^\n]*"port":(\d+)/.exec(text)
      if (listening) resolve(Number(listening[1]))
    })
    ended.then(() => reject(new Error(`workerd has ended: ${log}`)))
  })
  return {
    port,
    pid: child.pid,
    log: () => log,
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const configOf = (disk, objects) => {
  const each = (line) =>
    Object.entries(objects)
      .map(([binding, name]) => line(binding, name))
      .join(', ')
  const namespace = (_, name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`
  const binding = (binding, name) => `(name = "${binding}", durableObjectNamespace = "${name}")`
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
