import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createRoutes, type Guard, type Identity } from '@sallyport/server'
import { type ConnectionHandler, guardServer } from '@sallyport/server/ws'
import { onTestFinished } from 'vitest'
import { WireEnd } from '../../src/testing/wire.js'
import { adapterContract, type ServerUnderTest } from './adapter.js'

/**
 * A server that sees no network, only the wire of the test kit. The clients of the contract speak TCP, so that each of
 * their connections is laid on to a wire of its own.
 */
async function startOnWires(
  guard: Guard<Identity>,
  onConnection: ConnectionHandler<Identity>,
): Promise<ServerUnderTest> {
  const routes = createRoutes(guard, { path: '/ws' })
  const server = createHttpServer(async (request, response) => {
    if (!(await routes.node(request, response))) response.writeHead(404).end()
  })
  guardServer(server, guard, { path: '/ws' }, onConnection)
  const sockets = new Set<Socket>()
  const relay = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    const [client, far] = WireEnd.pair('127.0.0.1')
    socket.on('error', () => client.cut())
    client.on('error', () => socket.resetAndDestroy())
    client.on('close', () => socket.destroySoon())
    server.emit('connection', far)
    socket.pipe(client).pipe(socket)
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  })
  const { port } = relay.address() as AddressInfo
  return { port, url: `ws://127.0.0.1:${port}/ws` }
}

adapterContract('ws on the wire of the test kit', startOnWires)
