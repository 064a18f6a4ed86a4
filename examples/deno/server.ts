import { guardDeno } from '@sallyport/server/deno'
import { fetchAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'

const door = guardDeno(guard, { path: '/ws' }, (socket, { identity, method }) => {
  socket.onmessage = ({ data }) => socket.send(JSON.stringify({ type: 'echo', data }))
  socket.send(JSON.stringify({ type: 'welcome', userId: identity.id, method }))
})
const app = async (request: Request) => (await fetchAccounts(request)) ?? new Response('Not found', { status: 404 })
Deno.serve(
  { port: address.port, hostname: address.host, onListen: () => ready('deno') },
  async (request, info) => (await door.fetch(request, info)) ?? app(request),
)
