import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import type { Hono } from 'hono'
import { onTestFinished } from 'vitest'

/** Serves an application as its users do, with what `serve` is given beside it, until the test is over. */
export async function serving(
  // biome-ignore lint/suspicious/noExplicitAny: an application of whatever variables
  { fetch }: Hono<any, any, any>,
  attach: (server: ServerType) => unknown,
  options: Partial<Parameters<typeof serve>[0]> = {},
): Promise<number> {
  const server = serve({ fetch, hostname: '127.0.0.1', port: 0, ...options } as Parameters<typeof serve>[0])
  attach(server)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
