import { defaultBufferedBytes, defaultMessageBytes } from '../../connections/socket-options.js'
import type { Guard } from '../../guard/guard.js'
import type { ParamsOf, RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import { checkedObject } from '../../support/checked-kind.js'
import { dataWire } from '../fetch/data.js'
import { FetchRoute } from '../fetch/fetch-route.js'
import type { Passage } from '../fetch/passage.js'
import type { FetchRouteOptions } from '../fetch/route-options.js'
import { BunGate, gateOf } from './bun-gate.js'
import type { BunHandlers, BunMessage, BunServer, BunSocket, GuardedData } from './bun-socket.js'

export type { BunHandlers, BunMessage, BunServer, BunSocket, Bytes, GuardedData } from './bun-socket.js'

/** Options of {@link guardBun}. */
export interface GuardBunOptions<I extends Identity = Identity, P extends RoutePath = RoutePath>
  extends FetchRouteOptions<I, P, BunMessage> {
  /** The handlers of the server's other WebSockets, such as `websocket` of `hono/bun`: Bun has one object for all of them. */
  readonly others?: BunHandlers<never>
}

/** A guarded route of Bun. */
export interface GuardedBun {
  /**
   * Answers a request that is for the route, or for its `/ticket`, `/renew` and `/backchannel-logout`, as `createRoutes`
   * does; `undefined` when it is for none of them. Give it the request that Bun has made.
   */
  fetch(request: Request, server: BunServer): Response | undefined | Promise<Response | undefined>
  /** The `websocket` of `Bun.serve`. A message is 1 MiB at most, unless you say otherwise behind it. */
  readonly websocket: BunWebSocketHandlers
}

/** The handlers that {@link guardBun} makes. Those of one guarded route serve all guarded routes of a server. */
export interface BunWebSocketHandlers {
  open(ws: BunSocket): Done
  message(ws: BunSocket, message: BunMessage): Done
  drain(ws: BunSocket): Done
  close(ws: BunSocket, code: number, reason: string): Done
  ping(ws: BunSocket, data: Buffer): Done
  pong(ws: BunSocket, data: Buffer): Done
  readonly maxPayloadLength: number
  readonly backpressureLimit: number
}

/** What a handler may answer. */
export type Done = void | Promise<void>

const wire = dataWire((bytes) => Buffer.from(bytes))

/**
 * Guards the WebSocket route at `path` of `Bun.serve`: only accepted sockets reach the handlers. One that throws, or answers
 * a promise that rejects, closes its connection with 1011.
 *
 * ```ts
 * const door = guardBun(guard, { path: '/ws' }, {
 *   open: (ws) => ws.send(`hello ${ws.data.connection.identity.id}`),
 * })
 * Bun.serve({ fetch: async (request, server) => (await door.fetch(request, server)) ?? app(request), websocket: door.websocket })
 * ```
 *
 * @throws ConfigurationError when an option cannot work
 */
export function guardBun<I extends Identity, const P extends RoutePath>(
  guard: Guard<I>,
  options: GuardBunOptions<I, P>,
  handlers: BunHandlers<BunSocket<GuardedData<I, ParamsOf<P>>>>,
): GuardedBun
export function guardBun<I extends Identity>(
  guard: Guard<I>,
  options: GuardBunOptions<I>,
  handlers: BunHandlers<BunSocket<GuardedData<I>>>,
): GuardedBun {
  const route = new FetchRoute<I, BunMessage>('guardBun', guard, options, wire)
  checkedObject('guardBun', 'handlers', handlers, 'an object with handlers, such as { open, message }')
  const { others = {} } = options
  checkedObject('guardBun', 'others', others, 'the handlers of the other WebSockets')

  /** Tells of a socket: the application when it is ours, else whose it is. */
  function tell<K extends keyof BunHandlers<BunSocket>>(name: K, ws: BunSocket, ...args: unknown[]): Done {
    const gate = gateOf(ws)
    if (gate) return gate.tell(name, ws, ...args)
    return others[name] && (Reflect.apply(others[name], others, [ws, ...args]) as Done)
  }

  return {
    fetch: (request, server) =>
      route.fetch(request, server.requestIP(request)?.address, (passage, protocol) => {
        const data = new Coming(route, handlers as BunHandlers<BunSocket>, passage)
        // Without a selected one, Bun selects the first that was offered: it may be a credential.
        const headers = { 'Sec-WebSocket-Protocol': protocol ?? '' }
        const offers = request.headers.has('sec-websocket-protocol')
        return server.upgrade(request, offers ? { data, headers } : { data }) ? new Response(null) : undefined
      }),
    websocket: {
      open: (ws) => (ws.data instanceof Coming ? ws.data.arrive(ws) : tell('open', ws)),
      message(ws, message) {
        const gate = gateOf(ws)
        return gate ? gate.take(message) : tell('message', ws, message)
      },
      close(ws, code, reason) {
        const told = tell('close', ws, code, reason)
        gateOf(ws)?.passage.closed()
        return told
      },
      drain: (ws) => tell('drain', ws),
      ping(ws, data) {
        // Its pong waits to be sent, too.
        gateOf(ws)?.hasSent()
        return tell('ping', ws, data)
      },
      pong(ws, data) {
        gateOf(ws)?.answered()
        return tell('pong', ws, data)
      },
      maxPayloadLength: defaultMessageBytes,
      // What is over it is dropped without a word: the guard ends such a connection before.
      backpressureLimit: Math.max(route.messages.maxBufferedBytes, defaultBufferedBytes),
    },
  }
}

/** What Bun carries from a handshake to its socket: its `data`. */
class Coming<I extends Identity> {
  readonly #route: FetchRoute<I, BunMessage>
  readonly #handlers: BunHandlers<BunSocket>
  readonly #passage: Passage<I, BunMessage>

  constructor(route: FetchRoute<I, BunMessage>, handlers: BunHandlers<BunSocket>, passage: Passage<I, BunMessage>) {
    this.#route = route
    this.#handlers = handlers
    this.#passage = passage
  }

  arrive(ws: BunSocket): void {
    const { dialect, messages } = this.#route
    const handlers = this.#handlers
    const passage = this.#passage
    const handOver = (connection: unknown) => {
      ws.data = { connection }
      return handlers.open?.(ws)
    }
    const { maxBufferedBytes } = messages
    const gate = new BunGate(ws, { dialect, passage, handlers, maxBufferedBytes })
    passage.arrive({ gate, options: messages, handOver })
  }
}
