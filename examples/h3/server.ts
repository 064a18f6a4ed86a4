import { createRoutes } from '@sallyport/server'
import { connectionOf, guardedWebSocket } from '@sallyport/server/crossws'
import { plugin as websocket } from 'crossws/server'
import { defineWebSocketHandler, H3, serve } from 'h3'
import { fetchAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'

const routes = createRoutes(guard, { path: '/ws' })
const hooks = guardedWebSocket(guard, {
  open(peer) {
    const { identity, method } = connectionOf(guard, peer)
    peer.send({ type: 'welcome', userId: identity.id, method })
  },
  message: (peer, message) => peer.send({ type: 'echo', data: message.text() }),
})
const app = new H3()
  .use(({ req }) => routes.fetch(req, req.ip))
  .use(({ req }) => fetchAccounts(req))
  .all('/ws', defineWebSocketHandler(hooks))
const server = serve(app, {
  port: address.port,
  hostname: address.host,
  plugins: [websocket({})],
})
await server.ready()
ready('h3')
