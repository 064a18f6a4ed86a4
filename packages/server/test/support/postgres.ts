import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Store } from '@sallyport/server'
import { type PostgresStoreOptions, postgresSchema, postgresStore } from '@sallyport/server/postgres'
import { Pool, type PoolConfig } from 'pg'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.js'

/** A PostgreSQL server of our own. */
export interface PostgresServer {
  readonly port: number
  /** A pool of its own, for the test to look at it. */
  readonly admin: Pool
  /** A pool of it, closed when the server is stopped. */
  pool(options?: PoolConfig): Pool
  /** A store on it, in the schema that every test of its own server uses. */
  store(options?: Partial<PostgresStoreOptions>): Store
  /** Makes the tables in a schema that nobody else uses, and answers its name. */
  schema(): Promise<string>
  /** Sends a signal to each of its processes: `SIGSTOP` freezes it, `SIGCONT` lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** What it has written to its log. */
  said(): string
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Starts it again at the same port, in the same folder. */
  restart(): Promise<void>
  /** Ends it, with its pools and its folder. */
  stop(): Promise<void>
}

const host = '127.0.0.1'
/** `POSTGRES_PATH`, which `npm test` sets, or the newest of Debian's. */
const program = realpathSync(process.env.POSTGRES_PATH ?? newestOf('/usr/lib/postgresql'))
// It refuses to run as root: there it runs as the user that its Debian package has made.
const isRoot = process.getuid?.() === 0
const idOf = (kind: '-u' | '-g') => Number(execFileSync('id', [kind, 'postgres']))
const user = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : {}

function newestOf(versions: string): string {
  const [newest = ''] = readdirSync(versions).sort((one, other) => Number(other) - Number(one))
  return join(versions, newest, 'bin/postgres')
}

/** Runs a program of the server's folder. */
const execute = (name: string, cwd: string, args: readonly string[]) =>
  execFileSync(join(dirname(program), name), args, { ...user, stdio: 'ignore', cwd })

function initialise(data: string, cwd: string): void {
  execute('initdb', cwd, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'])
}

/** Starts a server with these settings. */
export async function startPostgres(
  settings: readonly string[] = [],
  makeData: (data: string, cwd: string) => void = initialise,
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-postgres-'))
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  makeData(data, folder)
  const port = await freePort()
  const own = ['max_connections=200', `listen_addresses=${host}`, `port=${port}`, `unix_socket_directories=${folder}`]
  const args = ['-D', data, ...[...own, ...settings].flatMap((setting) => ['-c', setting])]
  const output: string[] = []
  let child = await run(args, folder, output)
  const pools: Pool[] = []

  function pool(more: PoolConfig = {}): Pool {
    const made = new Pool({ host, port, user: 'postgres', database: 'postgres', statement_timeout: 2_000, ...more })
    pools.push(made)
    return made
  }

  async function kill() {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    // Nothing is written any more, and all of its processes end.
    child.kill('SIGQUIT')
    await closed
  }

  const admin = pool({ statement_timeout: 0 })
  admin.on('error', () => {})
  return {
    port,
    admin,
    pool,
    store: (options) => postgresStore({ pool: pool(), ...options }),
    async schema() {
      const name = `s${randomUUID().replaceAll('-', '')}`
      await admin.query(postgresSchema(name))
      return name
    },
    signal(name) {
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
      for (const pid of [`${child.pid}`, ...children]) process.kill(Number(pid), name)
    },
    said: () => output.join(''),
    kill,
    async restart() {
      await kill()
      child = await run(args, folder, output)
    },
    async stop() {
      for (const each of pools.splice(0)) void each.end()
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The same for one test. */
export async function postgresOfTest(settings: readonly string[] = []): Promise<PostgresServer> {
  const server = await startPostgres(settings)
  onTestFinished(() => server.stop())
  await server.admin.query(postgresSchema())
  return server
}

/** A replica of a server, for one test. */
export async function replicaOf({ port }: PostgresServer): Promise<PostgresServer> {
  const source = ['-h', host, '-p', `${port}`, '-U', 'postgres', '-c', 'fast', '--no-sync', '-R']
  const replica = await startPostgres([], (data, cwd) => execute('pg_basebackup', cwd, ['-D', data, ...source]))
  onTestFinished(() => replica.stop())
  return replica
}

/** Runs the program until it says that it is ready. */
async function run(args: readonly string[], cwd: string, output: string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { ...user, cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      output.push(String(chunk))
      if (/ready to accept (read-only )?connections/.test(String(chunk))) resolve()
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`postgres has ended: ${output.join('')}`)))
  })
  return child
}

/** Waits until the clock of a server has moved on by `ms` milliseconds. */
export async function passTime(pool: Pool, ms: number): Promise<void> {
  // In pieces, which end before the pool's statement_timeout.
  for (let left = ms + 1; left > 0; left -= 500) {
    await pool.query('SELECT pg_sleep($1::float8)', [Math.min(left, 500) / 1_000])
  }
}
