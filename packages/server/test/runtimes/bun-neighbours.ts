import { createGuard, header } from '@sallyport/server'
import {
  type BunHandlers,
  type BunServer,
  type BunSocket,
  type BunWebSocketHandlers,
  guardBun,
} from '@sallyport/server/bun'
import { Hono } from 'hono'
import { upgradeWebSocket, websocket } from 'hono/bun'
import { verifyGood } from '../support/guard.js'

declare const Bun: {
  serve(options: {
    port: number
    hostname: string
    fetch: (request: Request, server: BunServer) => Response | Promise<Response>
    websocket: BunWebSocketHandlers
  }): { readonly port: number }
}

/** Two guarded routes on one server of Bun, beside a route of Hono that upgrades by itself. */
const guard = createGuard({ accept: [header({ verify: verifyGood })] })
const doors = ['/one', '/two'].map((path) =>
  guardBun(guard, { path, others: websocket as BunHandlers<BunSocket> }, { open: (ws) => ws.send(`${path} of ours`) }),
)
const app = new Hono<{ Bindings: BunServer }>()
for (const door of doors) app.use(async (c, next) => (await door.fetch(c.req.raw, c.env)) ?? next())
const theirs = upgradeWebSocket(() => ({ onOpen: (_, ws) => ws.send('open to everybody') }))
app.get('/open', theirs)
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch, websocket: doors[0]!.websocket })
process.stdout.write(`${server.port}\n`)
