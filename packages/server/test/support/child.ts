import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** A process of its own that runs a script of ours, and speaks with the test. */
export interface Child {
  readonly process: ChildProcess
  /** Sends the process a message, and waits for its next one. */
  ask(question: unknown): Promise<unknown>
  /** Its next message. */
  next(): Promise<unknown>
  /** Resolves when it has ended: with its exit code, and what it has written to stderr. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
}

/**
 * Runs a TypeScript file of the tests in a process of its own, killed when the test is over.
 *
 * @param shell a command that runs in front of it in the same shell, such as `ulimit -n 64`
 */
export async function startChild(
  file: URL,
  { shell, args = [] }: { shell?: string; args?: string[] } = {},
): Promise<Child> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  const outfile = join(folder, 'child.cjs')
  await build({
    entryPoints: [fileURLToPath(file)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
    // What ws and pg would like to have, and do without.
    external: ['bufferutil', 'utf-8-validate', 'pg-native'],
    alias: {
      '@sallyport/protocol': source('protocol/src/index.ts'),
      '@sallyport/server/cluster': source('server/src/stores/cluster/store.ts'),
      '@sallyport/server/postgres': source('server/src/stores/postgres/store.ts'),
      '@sallyport/server/redis': source('server/src/stores/redis/store.ts'),
      '@sallyport/server/ws': source('server/src/adapters/ws/guard-server.ts'),
      '@sallyport/server': source('server/src/index.ts'),
    },
  })
  const command = [process.execPath, outfile, ...args]
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
  const child = shell
    ? spawn('sh', ['-c', `${shell}; exec "$@"`, 'sh', ...command], { stdio: [...stdio] })
    : spawn(command[0]!, command.slice(1), { stdio: [...stdio] })
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const messages: unknown[] = []
  child.on('message', (message) => {
    messages.push(message)
    child.emit('arrived')
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true })
  })
  const next = async () => {
    const gone = ended.then((end) => {
      throw new Error(`the process has ended with ${end.code}: ${end.stderr}`)
    })
    // Where a message is there already, nobody waits for it.
    gone.catch(() => {})
    while (messages.length === 0) await Promise.race([once(child, 'arrived'), gone])
    return messages.shift()
  }
  const ask = (question: unknown) => {
    child.send(question as object)
    return next()
  }
  return { process: child, ask, next, ended }
}
