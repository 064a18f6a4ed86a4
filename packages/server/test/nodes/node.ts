// A node in a process of its own: a guard over a store on an HTTP server, and what a test asks of it by HTTP.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createGuard, createRoutes, header, type Store, ticket } from '@sallyport/server'
import { clusterStore } from '@sallyport/server/cluster'
import { postgresStore } from '@sallyport/server/postgres'
import { redisStore } from '@sallyport/server/redis'
import { guardServer } from '@sallyport/server/ws'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { verifyClaims } from '../support/claims.js'

interface Address {
  readonly host: string
  readonly port: number
}

/** What nodes share. */
export type SharedServer =
  /** Where Redis is, or who knows it, and behind which other address each of them is. */
  | { readonly redis: Address | { sentinels: Address[]; name: string; natMap: Record<string, Address> } }
  | { readonly postgres: Address }
  /** The other workers of the same primary. */
  | { readonly cluster: object }

/** What a node is told. */
export interface NodeArguments {
  readonly shared: SharedServer
  readonly secret: string
  readonly maxStaleness?: number
  readonly maxConnections?: number
  /** At which port it listens. Default: any. */
  readonly port?: number
}

const { shared, secret, maxStaleness, maxConnections, port = 0 } = JSON.parse(process.argv[2] ?? '') as NodeArguments

const guard = createGuard({
  accept: [ticket({ maxOutstanding: 100_000 }), header({ verify: verifyClaims })],
  limits: { failedAttempts: 1_000_000, pendingSockets: 20_000, pendingPerAddress: 20_000 },
  ...(maxStaleness !== undefined && { life: { maxStaleness } }),
  ...(maxConnections !== undefined && { connectionsPerIdentity: { max: maxConnections, whenFull: 'replace' } }),
  store: storeOn(shared),
})

function storeOn(server: SharedServer): Store {
  if ('cluster' in server) return clusterStore()
  if ('postgres' in server) {
    const pool = new Pool({ ...server.postgres, user: 'postgres', database: 'postgres', statement_timeout: 2_000 })
    return postgresStore({ pool, secret })
  }
  const client = new Redis({
    retryStrategy: () => 50,
    sentinelRetryStrategy: () => 50,
    enableAutoPipelining: true,
    failoverDetector: true,
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    ...server.redis,
  })
  client.on('error', () => {})
  return redisStore({ client, secret })
}

const routes = createRoutes(guard, { path: '/ws' })

const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (request.url === '/revoke') {
    const target = JSON.parse(await text(request))
    await guard.revoke(target).then(
      (revoked) => answer(response, 200, revoked),
      () => answer(response, 503, {}),
    )
  } else {
    answer(response, 200, { connections: guard.connections.size, ...guard.health })
  }
})
server.keepAliveTimeout = 60_000

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

guardServer(server, guard, { path: '/ws' }, (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
process.on('disconnect', () => process.exit())
// A port of its own, also in a worker of node:cluster.
server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
  const tell = () => process.send?.((server.address() as AddressInfo).port)
  void guard.ready().then(tell)
})
