import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../packages/server/test/support/free-port.js'
import { commandOf, environmentOf } from '../../scripts/examples.mjs'
import { type Words, wordsOf } from './stacks.js'

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A running example. */
export interface Example {
  readonly port: number
  /** Its own page. */
  readonly origin: string
  /** The port of its proxy, where it has one. */
  readonly httpsPort: number
  /** Whether its runtime can end a peer that does not answer a Close. */
  readonly endsSilent: boolean
  /** What its application says. */
  readonly words: Words
  stop(): Promise<void>
}

/** Runs an example on free ports, as `npm run example` does once all is installed. */
export async function startExample(name: string, more: Record<string, string> = {}): Promise<Example> {
  const [port, httpsPort] = [await freePort(), await freePort()]
  const [command, args] = commandOf(name)
  const child = spawn(command, args, {
    cwd: file('../..'),
    env: { ...environmentOf(), PORT: `${port}`, HTTPS_PORT: `${httpsPort}`, HOST: '127.0.0.1', ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await isReady(child)
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    httpsPort,
    endsSilent: !['workers', 'durable-object'].includes(name),
    words: wordsOf(name),
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = await ended
      if (code !== 0) throw new Error(`the example ended with ${code}`)
    },
  }
}

/** Resolves when it has said where it is. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (text) => {
      if (String(text).includes('http://')) resolve()
    })
    child.on('exit', (code) => reject(new Error(`the example ended with ${code} before it was ready`)))
  })
}
