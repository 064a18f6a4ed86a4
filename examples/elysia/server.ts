import { type BunServer, guardBun } from '@sallyport/server/bun'
import { Elysia } from 'elysia'
import { fetchAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome-bun.js'

const door = guardBun(guard, { path: '/ws' }, welcome)
new Elysia()
  .onRequest(({ request, server }) => door.fetch(request, server as BunServer))
  .onRequest(({ request }) => fetchAccounts(request))
  .listen({ port: address.port, hostname: address.host, websocket: door.websocket }, () => ready('elysia'))
