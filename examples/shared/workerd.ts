import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { address, ready } from './config.js'

/**
 * Bundles a Worker, and runs it as Cloudflare does; `objects` are the classes of its Durable Objects, by the names of their
 * bindings. In your application that is `wrangler dev`, which writes this configuration from its own.
 */
export async function runWorkerd(name: string, worker: URL, objects: Readonly<Record<string, string>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  mkdirSync(join(folder, 'disk'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  await build({
    entryPoints: [fileURLToPath(worker)],
    outfile: join(folder, 'worker.js'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['module-sync'],
    external: ['node:*', 'cloudflare:*'],
  })
  writeFileSync(join(folder, 'config.capnp'), configOf(join(folder, 'disk'), objects))
  const program = process.env.WORKERD_PATH
  if (!program) throw new Error('WORKERD_PATH names no workerd: npm run example brings it')
  const child = spawn(program, ['serve', join(folder, 'config.capnp'), '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  child.once('exit', () => process.exit(1))
  child.stdio[3]?.once('data', () => ready(name))
}

function configOf(disk: string, objects: Readonly<Record<string, string>>): string {
  const lines = (write: (binding: string, className: string) => string) =>
    Object.entries(objects)
      .map(([binding, className]) => `    ${write(binding, className)},`)
      .join('\n')
  const secret = process.env.JWT_SECRET ?? crypto.randomUUID()
  const texts = Object.entries({ JWT_SECRET: secret, HOST: address.host, PORT: `${address.port}` })
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "disk", disk = (path = ${JSON.stringify(disk)}, writable = true))],
  sockets = [(name = "http", address = "${address.host}:${address.port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-07",
  compatibilityFlags = ["nodejs_compat"],
  durableObjectNamespaces = [
${lines((_, className) => `(className = "${className}", uniqueKey = "${className}", enableSql = true)`)}
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
${lines((binding, className) => `(name = "${binding}", durableObjectNamespace = "${className}")`)}
${texts.map(([binding, text]) => `    (name = "${binding}", text = ${JSON.stringify(text)}),`).join('\n')}
  ],
);
`
}
