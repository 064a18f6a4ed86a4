import { createGuard, type Guard, header, type Identity } from '@sallyport/server'
import { type BunMessage, type BunSocket, guardBun } from '@sallyport/server/bun'
import { type Data, guardDeno } from '@sallyport/server/deno'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

declare const user: User
declare const request: Request

const guard: Guard<User> = createGuard({ accept: [header({ verify: () => ({ identity: user }) })] })

const door = guardBun(
  guard,
  {
    path: '/rooms/:room',
    admit: ({ plan }, { params }) => params?.room === plan,
    authorize: ({ identity }, message) => {
      expectTrue<Equals<typeof message, BunMessage>>()
      return identity.plan === 'pro'
    },
    messagesPerSecond: 5,
    others: { message: (_: BunSocket, message) => message.length },
  },
  {
    open(ws) {
      const { identity, params } = ws.data.connection
      const texts: string[] = [identity.plan, params.room]
      ws.subscribe(texts.join())
    },
    async message(ws, message) {
      ws.send(message as string)
    },
    // @ts-expect-error no handler of Bun
    connection: () => {},
  },
)
const answer: Response | undefined = await door.fetch(request, { requestIP: () => null, upgrade: () => true })
answer?.status.toFixed()

guardDeno(guard, { path: '/ws' }, (socket, { identity, params }, { headers }) => {
  expectTrue<Equals<typeof socket, WebSocket>>()
  socket.send(`${identity.plan} ${headers.get('origin')} ${Object.keys(params).length}`)
})

guardDeno(
  guard,
  {
    path: '/ws',
    authorize: (_, message) => {
      expectTrue<Equals<typeof message, Data>>()
      return true
    },
    // @ts-expect-error one WebSocketServer is for Node.js
    webSocketServer: undefined,
  },
  () => {},
)
