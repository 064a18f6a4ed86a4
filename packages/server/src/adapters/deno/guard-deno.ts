import { setImmediate } from 'node:timers'
import type { Connection } from '../../connections/connection.js'
import type { Guard } from '../../guard/guard.js'
import type { ParamsOf, RoutePath } from '../../handshake/path.js'
import { unixSocket } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import { checkedHandler } from '../../support/checked-kind.js'
import { bufferOf, type Data, dataWire } from '../fetch/data.js'
import { EventGate, type EventSocket } from '../fetch/event-gate.js'
import { FetchRoute } from '../fetch/fetch-route.js'
import type { FetchRouteOptions } from '../fetch/route-options.js'
import type { RuntimeSocket, SocketHandler } from '../fetch/socket-handler.js'

export type { Data } from '../fetch/data.js'
export type { EventSocket } from '../fetch/event-gate.js'
export type { FetchRouteOptions } from '../fetch/route-options.js'
export type { RuntimeSocket as DenoSocket, SocketHandler as DenoHandler } from '../fetch/socket-handler.js'

/** What `Deno.serve` tells of a request. */
export interface DenoInfo {
  readonly remoteAddr: { readonly transport?: string; readonly hostname?: string }
}

/** Options of {@link guardDeno}. */
export type GuardDenoOptions<I extends Identity = Identity, P extends RoutePath = RoutePath> = FetchRouteOptions<
  I,
  P,
  Data
>

/** A guarded route of Deno. */
export interface GuardedDeno {
  /**
   * Answers a request that is for the route, or for its `/ticket`, `/renew` and `/backchannel-logout`, as `createRoutes`
   * does; `undefined` when it is for none of them.
   */
  fetch(request: Request, info: DenoInfo): Response | undefined | Promise<Response | undefined>
}

/** As much of Deno as the guard needs. */
interface Runtime {
  readonly Deno: {
    upgradeWebSocket(request: Request): {
      readonly socket: EventSocket & { binaryType: string }
      readonly response: Response
    }
  }
}

const wire = dataWire<Data>(bufferOf)

/**
 * Guards the WebSocket route at `path` of `Deno.serve`: only accepted sockets reach `onConnection`. When it throws, the
 * connection is closed with 1011.
 *
 * ```ts
 * const door = guardDeno(guard, { path: '/ws' }, (socket, { identity }) => socket.send(`hello ${identity.id}`))
 * Deno.serve(async (request, info) => (await door.fetch(request, info)) ?? app(request))
 * ```
 *
 * @throws ConfigurationError when an option cannot work
 */
export function guardDeno<I extends Identity, const P extends RoutePath>(
  guard: Guard<I>,
  options: GuardDenoOptions<I, P>,
  onConnection: SocketHandler<I, ParamsOf<P>>,
): GuardedDeno
export function guardDeno<I extends Identity>(
  guard: Guard<I>,
  options: GuardDenoOptions<I>,
  onConnection: SocketHandler<I>,
): GuardedDeno {
  const route = new FetchRoute<I, Data>('guardDeno', guard, options, wire)
  checkedHandler('guardDeno', onConnection)
  return {
    fetch: (request, { remoteAddr: { hostname, transport } }) =>
      route.fetch(request, transport === 'unix' ? unixSocket : hostname, (passage, protocol) => {
        const { Deno } = globalThis as unknown as Runtime
        const { socket, response } = Deno.upgradeWebSocket(request)
        if (protocol !== undefined) select(protocol, socket, response)
        // Nobody can look into a Blob at once.
        socket.binaryType = 'arraybuffer'
        const gate = new DenoGate(socket, route.dialect)
        const handOver = (connection: Connection<I>) =>
          onConnection(socket as unknown as RuntimeSocket, connection, request)
        const arrive = () => passage.arrive({ gate, options: route.messages, handOver })
        // Once, so that nothing keeps the request, whose credentials the socket must not outlive.
        socket.addEventListener('open', arrive, { once: true })
        socket.addEventListener('close', () => passage.closed())
        return response
      }),
  }
}

/** Selects a subprotocol. Deno itself would find it in a list only that is written with spaces. */
function select(protocol: string, socket: EventSocket, response: Response): void {
  response.headers.set('Sec-WebSocket-Protocol', protocol)
  Object.defineProperty(socket, 'protocol', { value: protocol })
}

/** The gate of a socket of Deno. */
class DenoGate extends EventGate {
  protected override writeClose(code: number, reason: string): void {
    // What has come by now is read first: Deno would cut the peer off at it, before it has sent the Close.
    setImmediate(() => super.writeClose(code, reason))
  }
}
