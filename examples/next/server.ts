import { createServer } from 'node:http'
import { createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import next from 'next'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'

const routes = createRoutes(guard, { path: '/ws' })
const app = next({ dev: process.env.NODE_ENV !== 'production', dir: import.meta.dirname })
await app.prepare()
const handle = app.getRequestHandler()
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  await handle(request, response)
})
guardServer(server, guard, { path: '/ws' }, welcome)
Object.assign(globalThis, { guard }) // for route handlers and server actions
server.listen(address, () => ready('next'))
