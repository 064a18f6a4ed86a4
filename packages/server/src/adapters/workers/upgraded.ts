import type { RuntimeWebSocket } from '../../support/cloudflare.js'

/** The 101 that gives the client its end of the socket, with the subprotocol that was selected or none. */
export function upgraded(client: RuntimeWebSocket, protocol: string | undefined): Response {
  const headers = protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol }
  const init: ResponseInit & { readonly webSocket: RuntimeWebSocket } = { status: 101, webSocket: client, headers }
  return new Response(null, init)
}

/** The client's address, as Cloudflare tells it: it writes that header anew, whatever the client sends. Nobody else does. */
export const addressOf = (request: Request): string => request.headers.get('cf-connecting-ip') ?? ''
