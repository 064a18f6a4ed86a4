import { createServer } from 'node:http'
import { createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'
import { handler } from './build/handler.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  await handler(request, response)
})
guardServer(server, guard, { path: '/ws' }, welcome)
server.listen(address, () => ready('sveltekit'))
