import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Duplex } from 'node:stream'
import { createAdaptorServer, type HttpBindings, type WebSocketLike } from '@hono/node-server'
import type { Context, MiddlewareHandler, Next } from 'hono'
import type { Connection } from '../connections/connection.js'
import type { Guard } from '../guard/guard.js'
import type { ParamsOf } from '../handshake/path.js'
import { fromNode } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { refusalAnswer } from '../refusals/http-answer.js'
import { createRoutes, type RoutesOptions } from '../routes.js'
import { FrameworkRoute, type TellUpgrade } from './ws/framework-route.js'
import { type GuardServerOptions, guardServer } from './ws/guard-server.js'

/** Options of {@link guardHono}. */
export interface GuardHonoOptions<I extends Identity = Identity, P extends string = string>
  extends GuardServerOptions<I, P>,
    Omit<RoutesOptions, 'path'> {
  /** The path of the WebSocket route, whole, as Hono writes it: `/ws`, or `/rooms/:room`. */
  readonly path: P
}

/** What {@link guardHono} puts among the variables of Hono's context. */
export interface GuardedVariables<I extends Identity, P extends string = string> {
  /** The connection that a WebSocket request is of. */
  readonly connection: Connection<I, ParamsOf<P>>
}

/** A guarded WebSocket route of Hono. */
export interface GuardedHono<I extends Identity, P extends string> {
  /**
   * Goes before the route: `app.use('/ws/*', middleware)`. Only requests of accepted sockets come by it to
   * `upgradeWebSocket`, and have `c.get('connection')`. It answers what `createRoutes` does.
   */
  readonly middleware: MiddlewareHandler<{ Variables: GuardedVariables<I, P> }>
  /**
   * Guards the path on the server that `serve` has answered, for the application that it serves.
   *
   * @returns a function that takes the route off the server; live connections stay.
   * @throws ConfigurationError on what `guardServer` throws
   */
  attach(
    server: Server | Http2Server | Http2SecureServer,
    app: { fetch(request: Request, env: object): Response | Promise<Response> },
  ): () => void
}

/**
 * Guards the WebSocket route at `path` of a Hono application on Node.js: the one that you declare by `upgradeWebSocket` of
 * `@hono/node-server`.
 *
 * @throws ConfigurationError when it is no path
 */
export function guardHono<I extends Identity, const P extends string>(
  guard: Guard<I>,
  options: GuardHonoOptions<I, P>,
): GuardedHono<I, P>
export function guardHono<I extends Identity>(guard: Guard<I>, options: GuardHonoOptions<I>): GuardedHono<I, string> {
  const routes = createRoutes(guard, options)
  const framework = new FrameworkRoute<I>(guard, (...upgrade) => tell?.(...upgrade))
  let tell: TellUpgrade | undefined

  /** Answers who was not accepted. */
  async function answer(c: Context, incoming: IncomingMessage | undefined, next: Next) {
    const answered = await routes.fetch(c.req.raw, incoming && fromNode(incoming).address)
    if (answered) return answered
    if (!incoming || c.req.header('upgrade') === undefined) return next()
    // The router knows other spellings of the path than the one that is guarded.
    const refusal = refusalAnswer(guard.refuse(fromNode(incoming), 'handshake-target'))
    return new Response(refusal.body, refusal)
  }

  return {
    middleware(c, next) {
      const { incoming }: Partial<HttpBindings> = c.env ?? {}
      const connection = incoming && framework.meet(incoming)
      if (!connection) return answer(c, incoming, next)
      c.set('connection', connection)
      return next()
    },
    attach(server, { fetch }) {
      // A server of Hono's that does not listen: it is told of what was accepted, and whoever listens to yours is not.
      const inner = createAdaptorServer({ fetch, websocket: { server: new OpenWebSockets(framework) } })
      tell = (...upgrade) => inner.emit('upgrade', ...upgrade)
      return guardServer(server as Server, guard, options, framework.onConnection)
    },
  }
}

/** What Hono takes for a server of ws: it hands out what is open already. */
class OpenWebSockets extends EventEmitter {
  readonly options = { noServer: true }
  readonly #framework: Pick<FrameworkRoute<Identity>, 'upgrade'>

  constructor(framework: Pick<FrameworkRoute<Identity>, 'upgrade'>) {
    super()
    this.#framework = framework
  }

  handleUpgrade(request: IncomingMessage, _: Duplex, __: Buffer, take: (webSocket: WebSocketLike) => void): void {
    // Hono has a type of its own for a socket, which that of ws does not fit.
    this.#framework.upgrade(request, (webSocket) => take(webSocket as unknown as WebSocketLike))
  }

  close(): void {}
}
