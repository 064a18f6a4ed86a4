import { serve, upgradeWebSocket } from '@hono/node-server'
import { guardHono } from '@sallyport/server/hono'
import { Hono } from 'hono'
import { fetchAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'

const { middleware, attach } = guardHono(guard, { path: '/ws' })
const app = new Hono().use('/ws/*', middleware).get('/ws', (c) => {
  const { identity, method } = c.get('connection')
  return upgradeWebSocket(c, {
    onOpen: (_, socket) => socket.send(JSON.stringify({ type: 'welcome', userId: identity.id, method })),
    onMessage: ({ data }, socket) => socket.send(JSON.stringify({ type: 'echo', data })),
  })
})
app.notFound(async (c) => (await fetchAccounts(c.req.raw)) ?? c.text('Not found', 404))
const server = serve({ fetch: app.fetch, hostname: address.host, port: address.port }, () => ready('hono'))
attach(server, app)
