import { type DenoInfo, guardDeno } from '@sallyport/server/deno'
import type { StartServer } from '../contract/scene.js'
import { controlOf } from './control.js'
import { Peer } from './peer.js'

type Handler = (request: Request, info: DenoInfo) => Response | Promise<Response>

declare const Deno: {
  serve(
    options: { port: number; hostname: string; signal?: AbortSignal; onListen(): void },
    handler: Handler,
  ): { readonly addr: { readonly port: number } }
}

const listen = { port: 0, hostname: '127.0.0.1', onListen() {} }

/** `Deno.serve` with a guarded `/ws`, as its guide says. */
const start: StartServer = async (guard, onConnection) => {
  const door = guardDeno(guard, { path: '/ws' }, (socket, connection, request) => {
    const peer = new Peer((data) => socket.send(data as string))
    socket.onmessage = ({ data }) => peer.take(data)
    return onConnection(peer.asWebSocket, connection, request as never)
  })
  const stopping = new AbortController()
  const server = Deno.serve(
    { ...listen, signal: stopping.signal },
    async (request, info) => (await door.fetch(request, info)) ?? new Response(null, { status: 404 }),
  )
  const { port } = server.addr
  return { port, url: `ws://127.0.0.1:${port}/ws`, stop: () => stopping.abort() }
}

const { addr } = Deno.serve(listen, controlOf(start))
process.stdout.write(`${addr.port}\n`)
