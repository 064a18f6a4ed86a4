import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, createRoutes, header, type Identity } from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { guardServer } from '@sallyport/server/ws'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'

/** A node that goes down as docs/shutdown.md shows it. Arguments: the version of its client, the port of Redis. */
const [, , version, redisPort] = process.argv
const options = { host: '127.0.0.1', port: Number(redisPort) }
const redis = version === '5' ? new Redis5(options) : new Redis(options)
redis.on('error', () => {})

const guard = createGuard({
  store: redisStore({ client: redis, secret: 's'.repeat(32) }),
  accept: [header<Identity>({ verify: (id) => ({ identity: { id } }) })],
})
const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (!(await routes.node(request, response))) response.writeHead(404).end()
})
guardServer(server, guard, { path: '/ws' }, (socket, { identity }) => socket.send(`hello ${identity.id}`))

process.once('SIGTERM', async () => {
  await guard.drain({ within: 100 })
  server.close()
  redis.disconnect()
})

server.listen(0, '127.0.0.1', async () => {
  await guard.ready()
  process.send?.((server.address() as AddressInfo).port)
})
