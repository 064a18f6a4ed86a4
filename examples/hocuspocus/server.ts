import { createServer } from 'node:http'
import { Hocuspocus } from '@hocuspocus/server'
import { type Connection, createRoutes, hocuspocus } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  response.writeHead(404).end()
})
const documents = new Hocuspocus<Pick<Connection, 'identity' | 'method'>>({
  // Who may open which document: asked for each, and what it throws refuses that one.
  async onAuthenticate({ documentName }) {
    if (documentName !== 'ws') throw new Error('There is one document here.')
  },
  // Writes into the document who came and how, for all to see. An awareness state says only what its client likes.
  async connected({ connection, context: { identity, method } }) {
    connection.document.getMap('visitors').set(identity.id, method)
  },
})
guardServer(server, guard, { path: '/ws', dialect: hocuspocus }, (socket, { identity, method, path }) => {
  // Its hooks see neither the query nor the headers, where a credential may be.
  const client = documents.handleConnection(socket, new Request(`http://localhost${path}`), { identity, method })
  socket.on('message', (data: Buffer) => client.handleMessage(new Uint8Array(data)))
  socket.on('close', (code, reason) => client.handleClose({ code, reason: reason.toString() }))
})
server.listen(address, () => ready('hocuspocus'))
