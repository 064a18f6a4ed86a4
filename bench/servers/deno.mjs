// `Deno.serve`: open to everybody, or with the guard where there is a `way`.
import { guardDeno } from '@sallyport/server/deno'
import { setUp } from './sallyport.mjs'

const listen = { port: 0, hostname: '127.0.0.1', onListen() {} }
let sockets = 0

export default function start({ way, keys }) {
  if (!way) return offer(Deno.serve(listen, open))
  const { guard, ...offered } = setUp({ way, keys })
  const door = guardDeno(guard, { path: '/ws' }, echo)
  const fetch = async (request, info) => (await door.fetch(request, info)) ?? new Response(null, { status: 404 })
  return { ...offered, ...offer(Deno.serve(listen, fetch)) }
}

function open(request) {
  const { socket, response } = Deno.upgradeWebSocket(request)
  socket.addEventListener('open', () => echo(socket))
  return response
}

function echo(socket) {
  sockets += 1
  socket.addEventListener('message', ({ data }) => socket.send(data))
  socket.addEventListener('close', () => {
    sockets -= 1
  })
}

const offer = (server) => ({ port: server.addr.port, open: () => sockets })
