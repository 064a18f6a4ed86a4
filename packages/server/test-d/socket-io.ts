import type { IncomingMessage } from 'node:http'
import { type Connection, createGuard, type Guard, header, type Identity } from '@sallyport/server'
import { connectionOf, guardSocketIo } from '@sallyport/server/socket-io'
import { Server } from 'socket.io'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

declare const user: User

const guard: Guard<User> = createGuard({ accept: [header({ verify: () => ({ identity: user }) })] })

const io = new Server()
guardSocketIo(io, guard)
io.on('connection', (socket) => {
  const connection = connectionOf(guard, socket)
  expectTrue<Equals<typeof connection, Connection<User>>>()
  socket.emit('plan', connection.identity.plan)
})
io.of('/admin').use((socket, next) =>
  next(connectionOf(guard, socket).identity.plan === 'admin' ? undefined : new Error()),
)

// With types of its own for every event.
const typed = new Server<
  { say(text: string): void },
  { said(text: string): void },
  Record<string, never>,
  { room: string }
>()
guardSocketIo(typed, guard, {
  admit(identity, { params, request }) {
    expectTrue<Equals<typeof identity, User>>()
    expectTrue<Equals<typeof params, { readonly namespace: string }>>()
    expectTrue<Equals<typeof request, IncomingMessage | Request | undefined>>()
    return params.namespace === '/'
  },
  connectTimeout: 10_000,
})
typed.on('connection', (socket) => {
  socket.on('say', (text) => socket.emit('said', `${connectionOf(guard, socket).identity.id}: ${text}`))
})

// @ts-expect-error the namespace has no such parameter
guardSocketIo(io, guard, { admit: (_, { params }) => params.room === 'a' })
// @ts-expect-error no such option
guardSocketIo(io, guard, { path: '/ws' })
// @ts-expect-error no server
guardSocketIo({}, guard)
// @ts-expect-error no socket
connectionOf(guard, {})
