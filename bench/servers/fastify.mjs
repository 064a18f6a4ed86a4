// Fastify with a route of @fastify/websocket: open to everybody, or with the guard before it where there are `keys`.
import websocket from '@fastify/websocket'
import { guardFastify } from '@sallyport/server/fastify'
import { fastify } from 'fastify'
import { echo } from './echo.mjs'
import { headerGuard } from './header-guard.mjs'

export default async function start({ keys }) {
  const app = fastify()
  await app.register(websocket)
  if (keys) await app.register(guardFastify(headerGuard(keys), { path: '/ws' }))
  app.get('/ws', { websocket: true }, echo)
  await app.ready()
  return { server: app.server }
}
