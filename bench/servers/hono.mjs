// Hono with a route of upgradeWebSocket: open to everybody, or with the guard before it where there are `keys`.
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server'
import { guardHono } from '@sallyport/server/hono'
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'
import { headerGuard } from './header-guard.mjs'

export default function start({ keys }) {
  const app = new Hono()
  const guarded = keys && guardHono(headerGuard(keys), { path: '/ws' })
  if (guarded) app.use('/ws/*', guarded.middleware)
  app.get(
    '/ws',
    upgradeWebSocket(() => ({ onMessage: ({ data }, socket) => socket.send(data) })),
  )
  const websocket = { server: new WebSocketServer({ noServer: true }) }
  const server = createAdaptorServer({ fetch: app.fetch, ...(!guarded && { websocket }) })
  guarded?.attach(server, app)
  return { server }
}
