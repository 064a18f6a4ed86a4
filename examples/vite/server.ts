import { createServer } from 'node:http'
import { createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { createServer as createVite } from 'vite'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  vite.middlewares(request, response)
})
const vite = await createVite({ root: import.meta.dirname, server: { middlewareMode: true, hmr: { server } } })
guardServer(server, guard, { path: '/ws' }, welcome)
server.listen(address, () => ready('vite'))
