import { type BunServer, guardBun } from '@sallyport/server/bun'
import { Hono } from 'hono'
import { fetchAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome-bun.js'

const door = guardBun(guard, { path: '/ws' }, welcome)
const app = new Hono<{ Bindings: BunServer }>()
app.use(async (c, next) => (await door.fetch(c.req.raw, c.env)) ?? next())
app.notFound(async (c) => (await fetchAccounts(c.req.raw)) ?? c.text('Not found', 404))
Bun.serve({ port: address.port, hostname: address.host, fetch: app.fetch, websocket: door.websocket })
ready('hono-bun')
