import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createGuard, type Guard, type Identity, type Verifier } from '@sallyport/server'
import { type GuardServerOptions, guardServer } from '@sallyport/server/ws'
import { expect, onTestFinished } from 'vitest'
import type { WebSocket, WebSocketServer } from 'ws'
import { Client } from '../support/client.js'
import { testClock } from '../support/clock.js'
import { allMethods, verifyGood } from '../support/guard.js'
import { RawClient, type RawResponse, rawHandshake, rawOpen } from '../support/raw.js'
import { echo } from '../support/server.js'

/** Whether somebody else comes to the server before the guard or after it. */
export const orders = ['before', 'after'] as const

const bearer = { Authorization: 'Bearer good-ada' }

/** A server with a guarded `/ws` and a neighbour, who comes before the guard or after it. */
export async function beside(
  order: (typeof orders)[number],
  attach: (server: Server) => unknown,
  { server = createServer(), verify = verifyGood }: { server?: Server; verify?: Verifier<Identity> } = {},
) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(verify), clock })
  if (order === 'before') await attach(server)
  guardServer(server, guard, { path: '/ws' }, echo)
  if (order === 'after') await attach(server)
  return { clock, guard, server, ...(await listen(server)) }
}

/** A server with a guarded route whose sockets are told of by the event of a `WebSocketServer`. Answers its URL. */
export async function emitting<I extends Identity>(
  guard: Guard<I>,
  options: GuardServerOptions<I> & { readonly webSocketServer: WebSocketServer },
): Promise<string> {
  const server = createServer()
  guardServer(server, guard, options)
  return (await listen(server)).url
}

async function listen(server: Server): Promise<{ port: number; url: string }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `ws://127.0.0.1:${port}` }
}

/** Expects that the guarded route does all that it does, and that its sockets are nobody else's. */
export async function expectGuarded(port: number): Promise<void> {
  const client = await Client.open(`ws://127.0.0.1:${port}/ws`, { headers: bearer })
  expect(await client.text()).toBe('hello ada')
  client.send('echo')
  expect(await client.text()).toBe('echo')
  await client.close()
  expect(client.waiting).toBe(0)
  expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
}

/** Expects that a socket of the neighbour's opens, and greets with `hello`. */
export async function expectTheirs(url: string, protocols?: string[]): Promise<void> {
  const client = await Client.open(url, protocols && { protocols })
  expect(await client.text()).toBe('hello')
  await client.close()
}

/** What an upgrade to a path gets for an answer, when it is one that ends the connection. */
export async function answerTo(port: number, path: string): Promise<RawResponse> {
  const client = await RawClient.connect(port)
  client.write(rawHandshake(path))
  return client.toEnd()
}

/** An upgrade to a path that neither we nor the neighbour take. */
export async function upgradeTo(server: Server, port: number, path: string): Promise<RawClient> {
  const upgraded = once(server, 'upgrade')
  const client = await RawClient.connect(port)
  client.write(rawHandshake(path))
  await upgraded
  return client
}

/** Greets. */
export const greet = (socket: Pick<WebSocket, 'send'>): void => socket.send('hello')
