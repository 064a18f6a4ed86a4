import type { IncomingMessage, Server } from 'node:http'
import {
  type Connection,
  createGuard,
  type Guard,
  header,
  type Identity,
  type ParamsOf,
  type PathParams,
  type VerifyContext,
} from '@sallyport/server'
import { connectionOf, guardServer } from '@sallyport/server/ws'
import type { WebSocket, WebSocketServer } from 'ws'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

declare const server: Server
declare const webSocketServer: WebSocketServer
declare const user: User
declare const socket: WebSocket

const guard: Guard<User> = createGuard({
  accept: [
    header({
      verify: (_, { handshake }: VerifyContext) => {
        expectTrue<Equals<typeof handshake.request, IncomingMessage | Request | undefined>>()
        return { identity: user }
      },
    }),
  ],
})

guardServer(server, guard, { path: '/ws' }, (socket, connection, request) => {
  expectTrue<Equals<typeof socket, WebSocket>>()
  expectTrue<Equals<typeof connection.identity, User>>()
  expectTrue<Equals<typeof request, IncomingMessage>>()
})

// Somebody takes the sockets: a handler, or who listens to the server.
guardServer(server, guard, { path: '/ws', webSocketServer })
// @ts-expect-error nobody does
guardServer(server, guard, { path: '/ws' })

expectTrue<Equals<ReturnType<typeof connectionOf<User>>, Connection<User>>>()
const plan: string = connectionOf(guard, socket).identity.plan
plan.length

// The parameters that a path names are what the handler and the application's word get.
guardServer(
  server,
  guard,
  {
    path: '/docs/:org/rooms/:room',
    admit(identity, { params, request }) {
      expectTrue<Equals<typeof identity, User>>()
      expectTrue<Equals<typeof params, { readonly org: string; readonly room: string }>>()
      expectTrue<Equals<typeof request, IncomingMessage | Request | undefined>>()
      return params.room === 'lobby' || { reason: 'no member' }
    },
  },
  (_, { params, identity }) => {
    const names: [string, string, string] = [params.org, params.room, identity.plan]
    // @ts-expect-error: the path has no such parameter
    params.name
    return names
  },
)
guardServer(server, guard, { path: (path) => (path === '/x' ? { room: path } : undefined) }, (_, { params }) => {
  expectTrue<Equals<typeof params.room, string>>()
})
expectTrue<Equals<ParamsOf<'/ws'>, PathParams>>()
expectTrue<Equals<ParamsOf<string>, PathParams>>()
expectTrue<Equals<ParamsOf<'/:a'>, { readonly a: string }>>()
// @ts-expect-error: an application must answer
guardServer(server, guard, { path: '/ws', admit: () => {} }, () => {})
