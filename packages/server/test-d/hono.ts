import { serve, upgradeWebSocket } from '@hono/node-server'
import { type Connection, createGuard, type Guard, header, type Identity } from '@sallyport/server'
import { type GuardedVariables, guardHono } from '@sallyport/server/hono'
import { Hono } from 'hono'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

declare const user: User
const guard: Guard<User> = createGuard({ accept: [header({ verify: () => ({ identity: user }) })] })
const { middleware, attach } = guardHono(guard, {
  path: '/docs/:org/rooms/:room',
  admit(identity, { params }) {
    expectTrue<Equals<typeof identity, User>>()
    return params.org === identity.plan
  },
})
type Guarded = Connection<User, { readonly org: string; readonly room: string }>

// What comes behind the middleware knows whose the connection is.
const app = new Hono().use('/docs/:org/rooms/:room/*', middleware).get('/docs/:org/rooms/:room', (c) => {
  const connection = c.get('connection')
  expectTrue<Equals<typeof connection, Guarded>>()
  const { identity, params } = connection
  return upgradeWebSocket(c, { onOpen: (_, socket) => socket.send(identity.plan + params.room) })
})
const giveBack: () => void = attach(serve({ fetch: app.fetch }), app)
giveBack()

// An application says what it has, for handlers elsewhere.
const other = new Hono<{ Variables: GuardedVariables<User>; Bindings: { readonly name: string } }>()
other.get('/x', (c) => c.text(c.get('connection').identity.plan + c.env.name))
attach(serve(other), other)
// @ts-expect-error: Hono reads no function as a path
guardHono(guard, { path: (path: string) => (path === '/ws' ? {} : undefined) })
