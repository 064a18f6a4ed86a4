import { createServer } from 'node:http'
import { createRoutes, graphqlWs } from '@sallyport/server'
import { connectionOf, guardServer } from '@sallyport/server/ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { roots, schema } from './schema.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  response.writeHead(404).end()
})
const webSocketServer = new WebSocketServer({ noServer: true })
useServer({ schema, roots, context: ({ extra }) => connectionOf(guard, extra.socket) }, webSocketServer)
guardServer(server, guard, { path: '/ws', webSocketServer, dialect: graphqlWs })
server.listen(address, () => ready('graphql-ws'))
