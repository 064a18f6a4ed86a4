import { createServer } from 'node:http'
import { createRoutes, trpc } from '@sallyport/server'
import { connectionOf, guardServer } from '@sallyport/server/ws'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { WebSocketServer } from 'ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { router } from './router.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  response.writeHead(404).end()
})
const webSocketServer = new WebSocketServer({ noServer: true })
applyWSSHandler({ wss: webSocketServer, router, createContext: ({ res }) => connectionOf(guard, res) })
guardServer(server, guard, { path: '/ws', webSocketServer, dialect: trpc })
server.listen(address, () => ready('trpc'))
