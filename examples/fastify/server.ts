import websocket from '@fastify/websocket'
import { guardFastify } from '@sallyport/server/fastify'
import { fastify } from 'fastify'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'

const app = fastify()
await app.register(websocket)
await app.register(guardFastify(guard, { path: '/ws' }))
app.get('/ws', { websocket: true }, (socket, request) => welcome(socket, request.guarded))
app.addHook('onRequest', async (request, reply) => {
  if (await nodeAccounts(request.raw, reply.raw)) reply.hijack()
})
await app.listen(address)
ready('fastify')
