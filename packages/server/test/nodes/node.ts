// A node in a process of its own: a guard over Redis on an HTTP server, and what a test asks of it by HTTP.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createGuard, createRoutes, header, ticket } from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { guardServer } from '@sallyport/server/ws'
import { Redis } from 'ioredis'
import { verifyClaims } from '../support/claims.js'

interface Address {
  readonly host: string
  readonly port: number
}

/** What a node is told. */
export interface NodeArguments {
  /** Where Redis is, or who knows it, and behind which other address each of them is. */
  readonly redis: Address | { sentinels: Address[]; name: string; natMap: Record<string, Address> }
  readonly secret: string
  readonly maxStaleness?: number
  readonly maxConnections?: number
  /** At which port it listens. Default: any. */
  readonly port?: number
}

const { redis, secret, maxStaleness, maxConnections, port = 0 } = JSON.parse(process.argv[2] ?? '') as NodeArguments

const defaults = {
  retryStrategy: () => 50,
  sentinelRetryStrategy: () => 50,
  enableAutoPipelining: true,
  failoverDetector: true,
}
const client = new Redis({ ...defaults, ...redis })
client.on('error', () => {})
const guard = createGuard({
  accept: [ticket({ maxOutstanding: 100_000 }), header({ verify: verifyClaims })],
  limits: { failedAttempts: 1_000_000, pendingSockets: 20_000, pendingPerAddress: 20_000 },
  ...(maxStaleness !== undefined && { life: { maxStaleness } }),
  ...(maxConnections !== undefined && { connectionsPerIdentity: { max: maxConnections, whenFull: 'replace' } }),
  store: redisStore({ client, secret }),
})
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
server.listen(port, '127.0.0.1', () => {
  const tell = () => process.send?.((server.address() as AddressInfo).port)
  void guard.ready().then(tell)
})
