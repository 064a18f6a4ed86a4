// @fastify/websocket with @fastify/jwt: the hook of the latter's README, on a route of the former.
import jwt from '@fastify/jwt'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { echo } from './echo.mjs'

export default async function start({ keys }) {
  const fastify = Fastify()
  await fastify.register(jwt, { secret: keys.HS256.secret })
  await fastify.register(websocket)
  fastify.register(async (routes) => {
    routes.addHook('onRequest', async (request, reply) => {
      try {
        await request.jwtVerify()
      } catch (error) {
        reply.send(error)
      }
    })
    routes.get('/ws', { websocket: true }, echo)
  })
  await fastify.ready()
  return { server: fastify.server }
}
