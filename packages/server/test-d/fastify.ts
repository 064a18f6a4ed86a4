import type { IncomingMessage } from 'node:http'
import websocket from '@fastify/websocket'
import { type Connection, createGuard, type Guard, header, type Identity } from '@sallyport/server'
import { guardFastify } from '@sallyport/server/fastify'
import { fastify } from 'fastify'
import type { WebSocket } from 'ws'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

declare const user: User
const guard: Guard<User> = createGuard({ accept: [header({ verify: () => ({ identity: user }) })] })

declare module '@sallyport/server/fastify' {
  interface FastifyGuard {
    guard: Guard<User>
  }
}

const app = fastify()
app.register(websocket)

// A handler gets what that of guardServer gets.
app.register(
  guardFastify(
    guard,
    {
      path: '/docs/:org/rooms/:room',
      admit(identity, { params }) {
        expectTrue<Equals<typeof identity, User>>()
        return params.org === identity.plan
      },
    },
    (socket, connection, request) => {
      expectTrue<Equals<typeof socket, WebSocket>>()
      expectTrue<Equals<typeof connection.identity, User>>()
      expectTrue<Equals<typeof connection.params, { readonly org: string; readonly room: string }>>()
      expectTrue<Equals<typeof request, IncomingMessage>>()
    },
  ),
)

// A route finds it on the request, typed by the guard that the application has told of.
app.register(guardFastify(guard, { path: '/ws' }))
app.get('/ws', { websocket: true }, (socket, request) => {
  expectTrue<Equals<typeof request.guarded, Connection<User>>>()
  socket.send(request.guarded.identity.plan)
})
app.addHook('preHandler', async ({ guarded }) => {
  expectTrue<Equals<typeof guarded.identity, User>>()
})

// With another server than that of HTTP/1.1 without TLS too.
fastify({ https: { key: '', cert: '' } }).register(guardFastify(guard, { path: '/ws' }, () => {}))
// @ts-expect-error the routes stand behind a path that Fastify can read
guardFastify(guard, { path: (path: string) => (path === '/ws' ? {} : undefined) }, () => {})
