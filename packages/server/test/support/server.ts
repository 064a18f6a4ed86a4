import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Connection, createRoutes, type Guard, type Identity } from '@sallyport/server'
import { type ConnectionHandler, type GuardServerOptions, guardServer } from '@sallyport/server/ws'
import { onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'

/** A live server with a guarded `/ws` and its routes, closed when the test is over. */
export interface TestServer {
  readonly server: Server
  readonly port: number
  /** `ws://127.0.0.1:port/ws` */
  readonly url: string
  /** Waits until no connection is left. */
  idle(): Promise<void>
}

/** Echoes text behind a greeting that names the user: `hello ada`, then whatever comes. */
export const echo = (socket: WebSocket, { identity }: Connection): void => {
  socket.send(`hello ${identity.id}`)
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

export async function startServer<I extends Identity>(
  guard: Guard<I>,
  onConnection: ConnectionHandler<I> = echo,
  options: Partial<GuardServerOptions> = {},
): Promise<TestServer> {
  const routes = createRoutes(guard, { path: '/ws' })
  const server = createServer(async (request, response) => {
    if (!(await routes.node(request, response))) response.writeHead(404).end()
  })
  guardServer(server, guard, { path: '/ws', ...options }, onConnection)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      server.emit('left')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const idle = async () => {
    while (sockets.size > 0) await once(server, 'left')
  }
  return { server, port, url: `ws://127.0.0.1:${port}/ws`, idle }
}
