// Fastify with a route of @fastify/websocket: open to everybody, by hand with the hook of @fastify/jwt's README, or with
// the guard.
import jwt from '@fastify/jwt'
import websocket from '@fastify/websocket'
import { guardFastify } from '@sallyport/server/fastify'
import { fastify } from 'fastify'
import { echo } from './echo.mjs'
import { headerGuard } from './header-guard.mjs'

export default async function start({ keys, way }) {
  const app = fastify()
  if (way === 'hand') await app.register(jwt, { secret: keys.HS256.secret })
  await app.register(websocket)
  if (way === 'guard') await app.register(guardFastify(headerGuard(keys), { path: '/ws' }))
  app.register(async (routes) => {
    if (way === 'hand') routes.addHook('onRequest', verify)
    routes.get('/ws', { websocket: true }, echo)
  })
  await app.ready()
  return { server: app.server }
}

async function verify(request, reply) {
  try {
    await request.jwtVerify()
  } catch (error) {
    reply.send(error)
  }
}
