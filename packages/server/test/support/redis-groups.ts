import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.js'
import { type RedisServer, redisOfTest } from './redis.js'

/** A primary with a replica, and the Sentinels that promote it. */
export interface SentinelGroup {
  readonly primary: RedisServer
  readonly replica: RedisServer
  /** The ports of the Sentinels. */
  readonly sentinels: readonly number[]
  /** A client that asks the Sentinels who the primary is. */
  client(): Redis
  /** Lets the replica fall behind: it gets no more of what the primary writes. */
  cutReplica(): Promise<void>
  /** Ends the primary, and waits until the replica is the primary. */
  failOver(): Promise<void>
  /** Asks the Sentinels for a failover, with nothing broken. They may refuse while another is under way. */
  promote(): Promise<void>
}

const group = 'main'

/** Starts a primary, a replica and three Sentinels for one test. */
export async function sentinelsOfTest(settings: readonly string[] = []): Promise<SentinelGroup> {
  const primary = await redisOfTest(settings)
  const replica = await redisOfTest([`replicaof 127.0.0.1 ${primary.port}`, ...settings])
  const admin = replica.client()
  await until(async () => (await admin.info('replication')).includes('master_link_status:up'))
  const sentinels: number[] = []
  for (let i = 0; i < 3; i++) sentinels.push(await startSentinel(primary.port))
  const watch = new Redis(sentinels[0]!, '127.0.0.1')
  watch.on('error', () => {})
  onTestFinished(() => watch.disconnect())
  // They find each other through the primary.
  await until(async () => {
    const known = (await watch.call('SENTINEL', 'MASTER', group)) as string[]
    return known[known.indexOf('num-other-sentinels') + 1] === '2' && known[known.indexOf('num-slaves') + 1] === '1'
  })

  return {
    primary,
    replica,
    sentinels,
    client() {
      const client = new Redis({
        sentinels: sentinels.map((port) => ({ host: '127.0.0.1', port })),
        name: group,
        retryStrategy: () => 50,
        sentinelRetryStrategy: () => 50,
      })
      client.on('error', () => {})
      onTestFinished(() => client.disconnect())
      return client
    },
    async cutReplica() {
      // Frozen, it does not connect again.
      replica.signal('SIGSTOP')
      await primary.client().call('CLIENT', 'KILL', 'TYPE', 'replica')
    },
    async failOver() {
      await primary.kill()
      replica.signal('SIGCONT')
      await until(async () => (await admin.info('replication')).includes('role:master'))
    },
    async promote() {
      await watch.call('SENTINEL', 'FAILOVER', group).catch(() => {})
    },
  }
}

async function startSentinel(primary: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-sentinel-'))
  const port = await freePort()
  const file = join(folder, 'sentinel.conf')
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${group} 127.0.0.1 ${primary} 2`,
      `sentinel down-after-milliseconds ${group} 1000`,
      `sentinel failover-timeout ${group} 5000`,
    ].join('\n'),
  )
  const child = spawn(process.env.REDIS_SERVER_PATH ?? 'redis-server', [file, '--sentinel'], { stdio: 'pipe' })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (output.includes('Sentinel ID is')) resolve()
    })
    child.once('close', () => reject(new Error(`a Sentinel has ended: ${output}`)))
  })
  onTestFinished(async () => {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
    await rm(folder, { recursive: true, force: true })
  })
  return port
}

/** A Cluster of three primaries, for one test. */
export async function clusterOfTest(): Promise<{ client(): Cluster; readonly servers: readonly RedisServer[] }> {
  const servers: RedisServer[] = []
  for (let i = 0; i < 3; i++) servers.push(await redisOfTest(['cluster-enabled yes']))
  const admins = servers.map((server) => server.client())
  const slots = 16_384
  for (const [i, admin] of admins.entries()) {
    const range = [Math.floor((slots * i) / 3), Math.floor((slots * (i + 1)) / 3) - 1]
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', ...range.map(String))
    if (i > 0) await admins[0]!.call('CLUSTER', 'MEET', '127.0.0.1', `${servers[i]!.port}`)
  }
  await until(async () => {
    const states = await Promise.all(admins.map((admin) => admin.call('CLUSTER', 'INFO') as Promise<string>))
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'))
  })
  return {
    servers,
    client() {
      const client = new Cluster([{ host: '127.0.0.1', port: servers[0]!.port }])
      client.on('error', () => {})
      onTestFinished(() => client.disconnect())
      return client
    },
  }
}

/** Asks again and again until it is so. The servers tell nobody when they are. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > end) throw new Error('it has not come so far in 20 seconds')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
