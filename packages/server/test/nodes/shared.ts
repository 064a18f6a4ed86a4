import type { Cable } from '../support/cable.js'
import { postgresOfTest } from '../support/postgres.js'
import { sentinelsOfTest } from '../support/redis-groups.js'
import type { SharedServer } from './node.js'

/** A server that can break. */
export interface Breakable {
  readonly port: number
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  kill(): Promise<void>
  restart(): Promise<void>
}

/** What the nodes of the fault runner share, and how it breaks. */
export interface BreakableStore {
  readonly name: string
  readonly servers: readonly Breakable[]
  /** What a node is told that reaches each server through a cable. */
  behind(cables: readonly Cable[]): SharedServer
  /** The server that is the primary now; any, when none says so. */
  primary(): Promise<Breakable>
  /** Makes another server the primary, with nothing broken. */
  promote?(): Promise<void>
  /** What it says of itself, for the report. */
  describe(): Promise<string>
  /** The places of connections that are lent for longer than for a minute, in words. */
  lentForEver(): Promise<string[]>
}

const host = '127.0.0.1'

/** A primary with a replica and Sentinels. */
export async function redisThatBreaks(): Promise<BreakableStore> {
  // As docs/scaling.md says: or a primary that comes back would be believed until the Sentinels have told it.
  const group = await sentinelsOfTest(['min-replicas-to-write 1', 'min-replicas-max-lag 1'])
  const servers = [group.primary, group.replica]

  async function primary() {
    for (const server of servers) {
      const role = await server.admin.call('ROLE').catch(() => [])
      if ((role as string[])[0] === 'master') return server
    }
    return servers[0]!
  }

  return {
    name: 'Redis',
    servers,
    behind(cables) {
      const natMap = Object.fromEntries(
        servers.map((server, i) => [`${host}:${server.port}`, { host, port: cables[i]!.port }]),
      )
      return { redis: { sentinels: group.sentinels.map((port) => ({ host, port })), name: 'main', natMap } }
    },
    primary,
    promote: () => group.promote(),
    async describe() {
      const infos = await Promise.all(servers.map((server) => server.admin.info('replication').catch(String)))
      return infos.join('\n')
    },
    async lentForEver() {
      const redis = (await primary()).admin
      const found: string[] = []
      const [seconds] = (await redis.time()) as unknown as [string]
      for (const key of await redis.keys('{sallyport}:connections:*:ends')) {
        const leases = await redis.zrange(key, '0', '-1', 'WITHSCORES')
        const latest = Math.max(...leases.filter((_, i) => i % 2 === 1).map(Number))
        if (latest > (Number(seconds) + 61) * 1_000) found.push('a lease is for ever')
        if ((await redis.pttl(key)) < 0) found.push('a group of leases is for ever')
      }
      return found
    },
  }
}

/** One server. */
export async function postgresThatBreaks(): Promise<BreakableStore> {
  const server = await postgresOfTest()
  return {
    name: 'PostgreSQL',
    servers: [server],
    behind: ([cable]) => ({ postgres: { host, port: cable!.port } }),
    primary: async () => server,
    async describe() {
      const { rows } = await server.admin.query('SELECT pid, state, query FROM pg_stat_activity')
      return JSON.stringify(rows)
    },
    async lentForEver() {
      const late = "SELECT FROM sallyport.places WHERE ends_at > now() + interval '61 seconds'"
      return (await server.admin.query(late)).rows.map(() => 'a lease is for ever')
    },
  }
}
