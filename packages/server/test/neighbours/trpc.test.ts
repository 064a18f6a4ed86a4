import { createGuard, header } from '@sallyport/server'
import { connectionOf } from '@sallyport/server/ws'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler, type CreateWSSContextFnOptions } from '@trpc/server/adapters/ws'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { verifyGood } from '../support/guard.js'
import { emitting } from './beside.js'

it('tRPC serves accepted sockets, with the request and the identity, and no adapter', async () => {
  const guard = createGuard({ accept: [header({ verify: verifyGood })] })
  const webSocketServer = new WebSocketServer({ noServer: true })
  const createContext = ({ req, res }: CreateWSSContextFnOptions) => ({
    user: `${connectionOf(guard, res).identity.id} at ${req.url}`,
  })
  const t = initTRPC.context<typeof createContext>().create()
  const router = t.router({ me: t.procedure.query(({ ctx }) => ctx.user) })
  applyWSSHandler({ wss: webSocketServer, router, createContext })
  const url = await emitting(guard, { path: '/ws', webSocketServer })
  class Authorized extends WebSocket {
    constructor(address: string) {
      super(address, { headers: { Authorization: 'Bearer good-ada' } })
    }
  }
  const socket = createWSClient({ url: `${url}/ws`, WebSocket: Authorized as never })
  const client = createTRPCClient<typeof router>({ links: [wsLink({ client: socket })] })
  expect(await client.me.query()).toBe('ada at /ws')
  await socket.close()
})
