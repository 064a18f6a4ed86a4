// `Bun.serve`: open to everybody, or with the guard where there is a `way`.
import { guardBun } from '@sallyport/server/bun'
import { setUp } from './sallyport.mjs'

const echo = { message: (socket, data) => void socket.send(data) }
const listen = { port: 0, hostname: '127.0.0.1' }
const notFound = () => new Response(null, { status: 404 })

export default function start({ way, keys }) {
  if (!way) return offer(Bun.serve({ ...listen, fetch: open, websocket: echo }))
  const { guard, ...offered } = setUp({ way, keys })
  const door = guardBun(guard, { path: '/ws' }, echo)
  const fetch = async (request, server) => (await door.fetch(request, server)) ?? notFound()
  return { ...offered, ...offer(Bun.serve({ ...listen, fetch, websocket: door.websocket })) }
}

const open = (request, server) => (server.upgrade(request) ? undefined : notFound())
const offer = (server) => ({ port: server.port, open: () => server.pendingWebSockets })
