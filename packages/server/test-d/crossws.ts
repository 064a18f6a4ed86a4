import { type Connection, createGuard, type Guard, header, type Identity } from '@sallyport/server'
import { connectionOf, guardedWebSocket } from '@sallyport/server/crossws'
import { defineHooks, type Message, type Peer } from 'crossws'
import { defineHooks as defineHooks3, type Message as Message3, type Peer as Peer3 } from 'crossws3'
import { defineWebSocketHandler } from 'h3'
import { defineWebSocketHandler as defineWebSocketHandler1 } from 'h3v1'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

declare const user: User
declare const peer: Peer

const guard: Guard<User> = createGuard({ accept: [header({ verify: () => ({ identity: user }) })] })

expectTrue<Equals<ReturnType<typeof connectionOf<User>>, Connection<User>>>()
const plan: string = connectionOf(guard, peer).identity.plan
plan.length

// Where the hooks are given to a framework, peers and messages are those of its crossws.
defineWebSocketHandler(
  guardedWebSocket(guard, {
    upgrade: ({ url, headers }) => ({ namespace: new URL(url).pathname, context: { host: headers.get('host') } }),
    open(peer) {
      expectTrue<Equals<typeof peer, Peer>>()
      peer.send(connectionOf(guard, peer).identity.plan)
    },
    message(peer, message) {
      expectTrue<Equals<typeof message, Message>>()
      peer.publish(peer.namespace, message.text())
    },
    close: (_, { code }) => code?.toFixed(),
    pong: (_, data) => data.byteLength,
  }),
)

defineWebSocketHandler1(
  guardedWebSocket(guard, {
    async open(peer) {
      expectTrue<Equals<typeof peer, Peer3>>()
      peer.subscribe('news')
    },
    message(_, message) {
      expectTrue<Equals<typeof message, Message3>>()
    },
  }),
)

defineHooks(guardedWebSocket(guard, { open: (peer: Peer) => peer.subscribe('news') }))
defineHooks3(guardedWebSocket(guard, { open: (peer: Peer3) => peer.subscribe('news') }))

guardedWebSocket(
  guard,
  {},
  {
    admit: ({ plan }, { target }) => target.startsWith(plan),
    authorize: ({ identity }, message) => identity.plan === message.text(),
    messagesPerSecond: 5,
    maxBufferedBytes: 1,
    // @ts-expect-error the framework says which paths
    path: '/ws',
  },
)

// @ts-expect-error no hook of crossws
guardedWebSocket(guard, { connection: () => {} })
