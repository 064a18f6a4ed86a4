import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { guardServer } from '@sallyport/server/ws'
import type { StartServer } from '../contract/scene.js'
import { controlOf } from './control.js'

async function listening(listener?: RequestListener) {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

/** `guardServer` on the `node:http` of another runtime. */
const start: StartServer = async (guard, onConnection) => {
  const { server, port } = await listening()
  guardServer(server, guard, { path: '/ws' }, onConnection)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { port, url: `ws://127.0.0.1:${port}/ws`, stop }
}

const answer = controlOf(start)
const { port } = await listening(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const answered = await answer(new Request('http://control/', { method: 'POST', body }))
  response.end(await answered.text())
})
process.stdout.write(`${port}\n`)
