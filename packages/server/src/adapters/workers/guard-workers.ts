import type { LiveConnection } from '../../connections/live-connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import type { Guard } from '../../guard/guard.js'
import type { ParamsOf, RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import { checkedHandler } from '../../support/checked-kind.js'
import type { SocketPair } from '../../support/cloudflare.js'
import { bufferOf, type Data, dataWire } from '../fetch/data.js'
import type { EventSocket } from '../fetch/event-gate.js'
import { FetchRoute } from '../fetch/fetch-route.js'
import type { FetchRouteOptions } from '../fetch/route-options.js'
import type { RuntimeSocket, SocketHandler } from '../fetch/socket-handler.js'
import { addressOf, upgraded } from './upgraded.js'
import { WorkerGate } from './worker-gate.js'

export { type ObjectStoreOptions, objectStore } from '../../stores/objects/object-store.js'
export type { Data } from '../fetch/data.js'
export type { RuntimeSocket as WorkerSocket, SocketHandler as WorkerHandler } from '../fetch/socket-handler.js'

/** Options of {@link guardWorkers}. */
export type GuardWorkersOptions<I extends Identity = Identity, P extends RoutePath = RoutePath> = FetchRouteOptions<
  I,
  P,
  Data
>

/** A guarded route of a Worker. */
export interface GuardedWorker {
  /**
   * Answers a request that is for the route, or for its `/ticket`, `/renew` and `/backchannel-logout`, as `createRoutes`
   * does; `undefined` when it is for none of them. The client's address is that of the header `cf-connecting-ip`, which
   * Cloudflare writes; where something else is in front of the Worker, any client can.
   */
  fetch(request: Request): Promise<Response | undefined>
}

const wire = dataWire<Data>(bufferOf)
const lookEvery = 500

/**
 * Guards the WebSocket route at `path` of a Worker: only accepted sockets reach `onConnection`. When it throws, the
 * connection is closed with 1011.
 *
 * ```ts
 * const door = guardWorkers(guard, { path: '/ws' }, (socket, { identity }) => socket.send(`hello ${identity.id}`))
 * export default { fetch: async (request: Request) => (await door.fetch(request)) ?? app(request) }
 * ```
 *
 * @throws ConfigurationError when an option cannot work
 */
export function guardWorkers<I extends Identity, const P extends RoutePath>(
  guard: Guard<I>,
  options: GuardWorkersOptions<I, P>,
  onConnection: SocketHandler<I, ParamsOf<P>>,
): GuardedWorker
export function guardWorkers<I extends Identity>(
  guard: Guard<I>,
  options: GuardWorkersOptions<I>,
  onConnection: SocketHandler<I>,
): GuardedWorker {
  const route = new FetchRoute<I, Data>('guardWorkers', guard, options, wire, look)
  checkedHandler('guardWorkers', onConnection)
  const { clock } = guard
  const connections = liveConnections(guard)
  let lookedAt = Number.NEGATIVE_INFINITY

  /** Looks for revocations: nothing does in the background of a Worker. Requests that come together need one look. */
  function look(): Promise<void> | undefined {
    const now = clock.now()
    if (now - lookedAt < lookEvery && guard.health.store === 'current') return undefined
    lookedAt = now
    return connections.log.look()
  }

  return {
    async fetch(request) {
      return route.fetch(request, addressOf(request), (passage, protocol) => {
        const { WebSocketPair } = globalThis as unknown as { readonly WebSocketPair: SocketPair }
        const { 0: client, 1: server } = new WebSocketPair()
        const socket = server as unknown as EventSocket & { binaryType: string }
        // Nobody can look into a Blob at once.
        socket.binaryType = 'arraybuffer'
        const gate = new WorkerGate(socket, route.dialect, { now: clock.now, look })
        socket.addEventListener('close', () => passage.closed())
        socket.addEventListener('error', () => passage.closed())
        server.accept()
        passage.arrive({
          gate,
          options: route.messages,
          handOver(connection: LiveConnection<I>) {
            gate.onDue = () => connections.look(connection)
            return onConnection(socket as unknown as RuntimeSocket, connection, request)
          },
        })
        return upgraded(client, protocol)
      })
    },
  }
}
