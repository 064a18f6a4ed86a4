import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.js'

/** A Redis server of our own. */
export interface RedisServer {
  readonly port: number
  readonly process: ChildProcess
  /** A client of its own, for the test to look at it. */
  readonly admin: Redis
  /** A client of it, closed when the server is stopped. */
  client(options?: Pick<RedisOptions, 'enableAutoPipelining' | 'reconnectOnError'>): Redis
  /** Sends it a signal: `SIGSTOP` freezes it, `SIGCONT` lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends the process at once. */
  kill(): Promise<void>
  /** Starts it again at the same port, in the same folder. */
  restart(): Promise<void>
  /** Ends it, with its clients and its folder. */
  stop(): Promise<void>
}

/** Starts a server with these lines of configuration, which keeps what it knows on disk unless told otherwise. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-redis-'))
  const port = await freePort()
  const clients: Redis[] = []
  // In a file, because Sentinels write into it whose replica a server is.
  const file = join(folder, 'redis.conf')
  const own = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'save ""', 'appendonly yes']
  await writeFile(file, `${[...own, ...settings].join('\n')}\n`)
  let child = await run([file])

  async function kill() {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }

  const admin = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: 1, commandTimeout: 500 })
  admin.on('error', () => {})
  clients.push(admin)

  return {
    port,
    admin,
    get process() {
      return child
    },
    client(options = {}) {
      const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, ...options })
      client.on('error', () => {})
      clients.push(client)
      return client
    },
    signal: (name) => void child.kill(name),
    kill,
    async restart() {
      await kill()
      child = await run([file])
    },
    async stop() {
      for (const client of clients.splice(0)) client.disconnect()
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The same for one test. */
export async function redisOfTest(settings: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis(settings)
  onTestFinished(() => server.stop())
  return server
}

/** Runs the program until it says that it is ready. */
async function run(args: readonly string[]): Promise<ChildProcess> {
  const program = process.env.REDIS_SERVER_PATH ?? 'redis-server'
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    child.once('close', () => reject(new Error(`redis-server has ended: ${output}`)))
  })
  await ready
  return child
}

/** Waits until the clock of a server has moved on by `ms` milliseconds. */
export async function passTime(client: Redis, ms: number): Promise<void> {
  const now = async () => {
    const [seconds, microseconds] = (await client.time()) as unknown as [number, number]
    return Number(seconds) * 1000 + Number(microseconds) / 1000
  }
  const end = (await now()) + ms
  for (let left = ms; left > 0; left = end - (await now())) await client.blpop('nothing', Math.max(left / 1000, 0.001))
}

/** Makes a server another primary than it was, as a failover does. It keeps what it holds. */
export async function becomeAnother({ admin }: RedisServer): Promise<void> {
  await admin.replicaof('127.0.0.1', await freePort())
  await admin.replicaof('NO', 'ONE')
}
