import { type BunServer, type BunSocket, type BunWebSocketHandlers, guardBun } from '@sallyport/server/bun'
import type { StartServer } from '../contract/scene.js'
import { controlOf } from './control.js'
import { Peer } from './peer.js'

declare const Bun: {
  serve(options: {
    port: number
    hostname: string
    fetch(request: Request, server: BunServer): Response | Promise<Response>
    websocket?: BunWebSocketHandlers
  }): { readonly port: number; stop(closes: boolean): Promise<void> }
}

const listen = { port: 0, hostname: '127.0.0.1' }
const peers = new WeakMap<BunSocket, Peer>()

/** `Bun.serve` with a guarded `/ws`, as its guide says. */
const start: StartServer = async (guard, onConnection) => {
  const door = guardBun(
    guard,
    { path: '/ws' },
    {
      open(ws) {
        const peer = new Peer((data) => ws.send(data as string))
        peers.set(ws, peer)
        return onConnection(peer.asWebSocket, ws.data.connection, undefined as never)
      },
      message: (ws, message) => peers.get(ws)?.take(message),
    },
  )
  const server = Bun.serve({
    ...listen,
    fetch: async (request, server) => (await door.fetch(request, server)) ?? new Response(null, { status: 404 }),
    websocket: door.websocket,
  })
  const { port } = server
  return { port, url: `ws://127.0.0.1:${port}/ws`, stop: () => server.stop(true) }
}

const { port } = Bun.serve({ ...listen, fetch: controlOf(start) })
process.stdout.write(`${port}\n`)
