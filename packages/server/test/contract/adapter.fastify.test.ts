import websocket from '@fastify/websocket'
import type { Guard, Identity } from '@sallyport/server'
import { type ConnectionHandler, guardFastify } from '@sallyport/server/fastify'
import type { FastifyInstance } from 'fastify'
import { application, portOf } from '../support/fastify.js'
import { adapterContract, type StartServer } from './adapter.js'

type SetUp = (app: FastifyInstance, guard: Guard<Identity>, handler: ConnectionHandler<Identity>) => Promise<void>

/** Starts an application whose `/ws` is guarded as `setUp` does it. */
const starting =
  (setUp: SetUp): StartServer =>
  async (guard, onConnection) => {
    const app = application()
    await setUp(app, guard, onConnection)
    const port = await portOf(app)
    return { port, url: `ws://127.0.0.1:${port}/ws` }
  }

/** The route as an application writes it. */
const route = (onConnection: ConnectionHandler<Identity>) => async (app: FastifyInstance) => {
  app.get(
    '/ws',
    { websocket: true },
    (socket, request) => onConnection(socket, request.guarded, request.raw) as undefined,
  )
}

adapterContract(
  'Fastify',
  starting(async (app, guard, onConnection) => {
    await app.register(guardFastify(guard, { path: '/ws' }, onConnection))
  }),
)

adapterContract(
  'Fastify with a route of @fastify/websocket, registered before the guard',
  starting(async (app, guard, onConnection) => {
    await app.register(websocket)
    await app.register(guardFastify(guard, { path: '/ws' }))
    await app.register(route(onConnection))
  }),
  { failure: 'cuts it off' },
)

adapterContract(
  'Fastify with a route of @fastify/websocket, registered after the guard',
  starting(async (app, guard, onConnection) => {
    await app.register(guardFastify(guard, { path: '/ws' }))
    await app.register(websocket)
    await app.register(route(onConnection))
  }),
  { failure: 'cuts it off' },
)
