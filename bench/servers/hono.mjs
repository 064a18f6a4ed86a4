// Hono with a route of upgradeWebSocket: open to everybody, by hand with the middleware of hono/jwt, or with the guard.
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server'
import { guardHono } from '@sallyport/server/hono'
import { Hono } from 'hono'
import { jwt } from 'hono/jwt'
import { WebSocketServer } from 'ws'
import { headerGuard } from './header-guard.mjs'

export default function start({ keys, way }) {
  const app = new Hono()
  const guarded = way === 'guard' && guardHono(headerGuard(keys), { path: '/ws' })
  if (guarded) app.use('/ws/*', guarded.middleware)
  if (way === 'hand') app.use('/ws', jwt({ secret: keys.HS256.secret, alg: 'HS256' }))
  app.get(
    '/ws',
    upgradeWebSocket(() => ({ onMessage: ({ data }, socket) => socket.send(data) })),
  )
  const websocket = { server: new WebSocketServer({ noServer: true }) }
  const server = createAdaptorServer({ fetch: app.fetch, ...(!guarded && { websocket }) })
  if (guarded) guarded.attach(server, app)
  return { server }
}
