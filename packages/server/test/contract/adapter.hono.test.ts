import { type HttpBindings, upgradeWebSocket } from '@hono/node-server'
import type { Guard, Identity } from '@sallyport/server'
import { guardHono } from '@sallyport/server/hono'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { Hono } from 'hono'
import type { WebSocket } from 'ws'
import { serving } from '../support/hono.js'
import { adapterContract, type ServerUnderTest } from './adapter.js'

/** Serves an application whose `/ws` is guarded, as applications do. */
async function start(guard: Guard<Identity>, onConnection: ConnectionHandler<Identity>): Promise<ServerUnderTest> {
  const { middleware, attach } = guardHono(guard, { path: '/ws' })
  const app = new Hono<{ Bindings: HttpBindings }>().use('/ws/*', middleware).get('/ws', (c) =>
    upgradeWebSocket(c, {
      onOpen(_, { raw }) {
        const done = onConnection(raw as unknown as WebSocket, c.get('connection'), c.env.incoming)
        // Hono looks at no promise, so that the application must.
        if (done instanceof Promise) done.catch(() => {})
      },
    }),
  )
  const port = await serving(app, (server) => attach(server, app))
  return { port, url: `ws://127.0.0.1:${port}/ws` }
}

adapterContract('Hono', start, { failure: 'goes on' })
