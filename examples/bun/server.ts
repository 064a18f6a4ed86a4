import { guardBun } from '@sallyport/server/bun'
import { fetchAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome-bun.js'

const door = guardBun(guard, { path: '/ws' }, welcome)
const app = async (request: Request) => (await fetchAccounts(request)) ?? new Response('Not found', { status: 404 })
Bun.serve({
  port: address.port,
  hostname: address.host,
  fetch: async (request, server) => (await door.fetch(request, server)) ?? app(request),
  websocket: door.websocket,
})
ready('bun')
