// Servers in processes of their own, on a core of their own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onServerCore } from './machine.mjs'

const file = (name) => fileURLToPath(new URL(name, import.meta.url))

/** A running server. */
class ServerProcess {
  #child
  #waiting = new Map()
  #calls = 0

  constructor(child) {
    this.#child = child
    child.on('message', ({ id, port, result, error }) => {
      if (id === undefined) this.port = port
      const call = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) call?.resolve(result)
      else call?.reject(new Error(error))
    })
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the server ended: ${signal ?? code}`))
    })
  }

  /** Asks for one of the commands of `child.mjs`, or of the server's own. */
  call(command, argument) {
    this.#calls += 1
    const id = this.#calls
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, command, argument })
    })
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

/** The commands that run a program in each runtime, and let it collect its garbage. */
const runtimes = {
  node: () => [process.execPath, '--expose-gc'],
  bun: () => [process.env.BUN_PATH, 'run'],
  deno: () => [
    process.env.DENO_PATH,
    'run',
    '--allow-all',
    '--quiet',
    '--node-modules-dir=manual',
    '--v8-flags=--expose-gc',
  ],
}

/** Starts `servers/NAME.mjs` with its options, of which `runtime` says what runs it: Node.js, if nobody says. */
export async function startServer(name, options = {}) {
  const runtime = runtimes[options.runtime ?? 'node']()
  const [command, ...args] = onServerCore([
    ...runtime,
    file('child.mjs'),
    file(`servers/${name}.mjs`),
    JSON.stringify(options),
  ])
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const server = new ServerProcess(child)
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)))
  ended.catch(() => {})
  await Promise.race([once(child, 'message'), ended])
  return server
}

/** Runs `use` with servers, and ends them whatever happens. `wanted` holds `[name, options]`. */
export async function withServers(wanted, use) {
  const servers = []
  try {
    for (const [name, options] of wanted) servers.push(await startServer(name, options))
    return await use(...servers)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}
