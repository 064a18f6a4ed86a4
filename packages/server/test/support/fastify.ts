import type { Socket } from 'node:net'
import { type FastifyInstance, type FastifyListenOptions, type FastifyServerOptions, fastify } from 'fastify'
import { onTestFinished } from 'vitest'

/** An application that is closed when the test is over. Time stands still there, and what would end its peers with it. */
export function application(options: FastifyServerOptions = {}): FastifyInstance {
  const app = fastify(options)
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket) => sockets.add(socket))
  onTestFinished(async () => {
    const closed = app.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return app
}

/** Lets it listen, and answers its port. */
export async function portOf(app: FastifyInstance, options: FastifyListenOptions = { host: '127.0.0.1' }) {
  await app.listen({ port: 0, ...options })
  const address = app.server.address()
  return typeof address === 'object' && address ? address.port : 0
}
