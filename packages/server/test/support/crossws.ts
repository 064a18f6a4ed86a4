import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Guard, Identity } from '@sallyport/server'
import {
  type CrosswsMessage,
  type CrosswsPeer,
  connectionOf,
  type GuardedHooks,
  type GuardedWebSocketOptions,
  guardedWebSocket,
  type UpgradeRequest,
} from '@sallyport/server/crossws'
import type { ConnectionHandler } from '@sallyport/server/ws'
import crossws4node from 'crossws/adapters/node'
import { plugin as crossws4 } from 'crossws/server'
import crossws3 from 'crossws3/adapters/node'
import { defineWebSocketHandler, H3, serve } from 'h3'
import { createApp, defineWebSocketHandler as defineWebSocketHandler1, toNodeListener } from 'h3v1'
import { onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'

/** A live server of crossws whose WebSocket route is `/ws`. */
export interface CrosswsServer {
  readonly server: Server
  readonly port: number
  readonly url: string
}

type Hooks = ReturnType<typeof guardedWebSocket<Identity, CrosswsPeer, CrosswsMessage>>
export type Stack = (hooks: Hooks) => Promise<Server> | Server

/** h3 2 on crossws 0.4, as its guide says. */
export const h3: Stack = async (hooks) => {
  const app = new H3()
  app.all('/ws', defineWebSocketHandler(hooks as never))
  const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, plugins: [crossws4({})] })
  await server.ready()
  return server.node?.server as Server
}

/** h3 1 on crossws 0.3, as Nitro 2 runs it, and so Nuxt 4. */
export const h3v1: Stack = (hooks) => {
  const app = createApp()
  app.use('/ws', defineWebSocketHandler1(hooks as never))
  const { handleUpgrade } = crossws3(app.websocket as never)
  return createServer(toNodeListener(app)).on('upgrade', handleUpgrade)
}

/** crossws 0.4 by its own adapter, as Nitro 3 runs it: it hands on nothing of Node.js but the URL and the headers. */
export const bare: Stack = (hooks) =>
  createServer().on('upgrade', crossws4node({ hooks: hooks as never }).handleUpgrade)

/** Starts a stack; it is stopped when the test is over. */
export async function startCrossws(stack: Stack, hooks: Hooks): Promise<CrosswsServer> {
  const server = await stack(hooks)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, port, url: `ws://127.0.0.1:${port}/ws` }
}

/** A peer in the words of ws, which the adapters' contract speaks. */
class PeerSocket extends EventEmitter {
  readonly #peer: CrosswsPeer
  /** crossws 0.3 does not tell text from binary; its ws does. */
  readonly #binary = new WeakSet<object>()

  constructor(peer: CrosswsPeer) {
    super()
    this.#peer = peer
    const webSocket = peer.websocket as WebSocket
    webSocket.on('ping', () => this.emit('ping'))
    webSocket.on('message', (data, isBinary) => isBinary && this.#binary.add(data))
  }

  send(data: string | Buffer, { binary = typeof data !== 'string' } = {}): void {
    this.#peer.send(binary ? data : String(data))
  }

  take({ rawData }: CrosswsMessage): void {
    this.emit(
      'message',
      Buffer.from(rawData as string),
      typeof rawData !== 'string' && this.#binary.has(rawData as object),
    )
  }
}

/** Hooks that serve a handler as `guardServer` takes them. */
export function hooksFor<I extends Identity>(
  guard: Guard<I>,
  onConnection: ConnectionHandler<I>,
  options?: GuardedWebSocketOptions<I, CrosswsMessage>,
): Hooks {
  const sockets = new WeakMap<CrosswsPeer, PeerSocket>()
  const hooks: GuardedHooks<CrosswsPeer, CrosswsMessage> = {
    upgrade: (request) => ({ context: { request: nodeRequestOf(request) } }),
    open(peer) {
      const socket = new PeerSocket(peer)
      sockets.set(peer, socket)
      const { request } = peer.context
      return onConnection(socket as never, connectionOf(guard, peer), request as IncomingMessage)
    },
    message: (peer, message) => sockets.get(peer)?.take(message),
  }
  return guardedWebSocket(guard, hooks, options) as Hooks
}

function nodeRequestOf(request: UpgradeRequest): unknown {
  const { runtime, _req } = request as { runtime?: { node?: { req: unknown } }; _req?: unknown }
  return runtime?.node?.req ?? _req
}
