// A node of run.mjs: a guard over Redis, as a user sets it up.
import { createServer } from 'node:http'
import { createGuard, createRoutes, header, ticket } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { redisStore } from '@sallyport/server/redis'
import { guardServer } from '@sallyport/server/ws'
import { Redis } from 'ioredis'

const [port, redisPort, secret] = process.argv.slice(2)
const verify = jwt({ secret, algorithms: ['HS256'], issuer: 'scale', audience: 'scale' })
const client = new Redis(Number(redisPort), '127.0.0.1', { enableAutoPipelining: true })
const guard = createGuard({
  accept: [ticket(), header({ verify })],
  // All clients have one address here.
  limits: { pendingSockets: 5_000, pendingPerAddress: 5_000 },
  store: redisStore({ client, secret }),
})
const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (!(await routes.node(request, response))) response.writeHead(404).end()
})
guardServer(server, guard, { path: '/ws' }, () => {})

process.on('message', async ({ ask, ...rest }) => {
  if (ask === 'state') {
    globalThis.gc?.()
    process.send({ connections: guard.connections.size, rss: process.memoryUsage().rss, cpu: process.cpuUsage() })
  }
  if (ask === 'revoke') process.send(await guard.revoke({ user: rest.user }))
  if (ask === 'drain') {
    await guard.drain({ within: rest.within })
    process.send({ drained: true })
  }
})
await guard.ready()
server.listen(Number(port), '127.0.0.1', 4_096, () => process.send({ ready: true }))
