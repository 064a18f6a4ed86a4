import type { IncomingMessage, Server } from 'node:http'
import { type Connection, createGuard, type Guard, header, type Identity, type VerifyContext } from '@sallyport/server'
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
