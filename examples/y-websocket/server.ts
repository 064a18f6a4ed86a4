import { createServer } from 'node:http'
import { createRoutes, yjs } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { setupWSConnection } from '@y/websocket-server/utils'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { note } from './visitors.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  response.writeHead(404).end()
})
guardServer(server, guard, { path: '/ws', dialect: yjs }, (socket, connection, request) => {
  setupWSConnection(socket, request)
  note(connection)
})
server.listen(address, () => ready('y-websocket'))
