import type { IncomingMessage, Server } from 'node:http'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocketServer } from 'ws'
import type { Connection } from '../connections/connection.js'
import type { Guard } from '../guard/guard.js'
import type { ParamsOf } from '../handshake/path.js'
import { fromNode } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { refusalAnswer } from '../refusals/http-answer.js'
import { createRoutes, type RoutesOptions } from '../routes.js'
import { ConfigurationError } from '../support/errors.js'
import { tapEvents } from './node/event-tap.js'
import { defaultWebSocketServer } from './ws/default-server.js'
import { endable } from './ws/endable.js'
import { FrameworkRoute, metConnection, type TellUpgrade } from './ws/framework-route.js'
import { type GuardServerOptions, guardServer } from './ws/guard-server.js'
import { type ConnectionHandler, emitConnections } from './ws/hand-over.js'

export type { ConnectionHandler } from './ws/hand-over.js'

/** Options of {@link guardFastify}. */
export interface GuardFastifyOptions<I extends Identity = Identity, P extends string = string>
  extends GuardServerOptions<I, P>,
    Omit<RoutesOptions, 'path'> {
  /** The path of the WebSocket route, as Fastify writes it, without the prefix: `/ws`, or `/rooms/:room`. */
  readonly path: P
}

/**
 * The guard of your application, by which `request.guarded` knows its identities:
 *
 * ```ts
 * declare module '@sallyport/server/fastify' {
 *   interface FastifyGuard { guard: typeof guard }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: an application adds its guard
export interface FastifyGuard {}

type GuardedIdentity = FastifyGuard extends { readonly guard: Guard<infer I> } ? I : Identity

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The connection that a WebSocket request is of.
     *
     * @throws TypeError on a request that has come by no guarded route
     */
    readonly guarded: Connection<GuardedIdentity>
  }
}

/**
 * A Fastify plugin that guards the WebSocket route at `path`: the one that you declare by `{ websocket: true }` of
 * `@fastify/websocket`, whichever plugin is registered first. Only requests of accepted sockets reach its hooks and its
 * handler, and have `request.guarded`. With a handler here, accepted sockets go to that, and `@fastify/websocket` is not
 * needed; with a `webSocketServer`, its `connection` event tells of them.
 *
 * It adds the routes of `createRoutes` behind the path, before body parsers. `close()` of the application closes the
 * connections with 1012.
 *
 * @throws ConfigurationError at `ready()`, on what `guardServer` throws, and when nobody takes the sockets.
 */
export function guardFastify<I extends Identity, const P extends string>(
  guard: Guard<I>,
  options: GuardFastifyOptions<I, P>,
  onConnection?: ConnectionHandler<I, ParamsOf<P>>,
): FastifyPluginAsync
export function guardFastify<I extends Identity>(
  guard: Guard<I>,
  { path, ...options }: GuardFastifyOptions<I>,
  onConnection: ConnectionHandler<I> | undefined = options.webSocketServer && emitConnections(options.webSocketServer),
): FastifyPluginAsync {
  async function plugin(app: WebSocketApp): Promise<void> {
    const url = app.prefix + path
    const routes = createRoutes(guard, { ...options, path: url })
    const behind = ['ticket', 'renew', 'backchannel-logout'].map((name) => `${path}/${name}`)
    const urls = new Set([path, ...behind].map((path) => app.prefix + path))
    const framework = new FrameworkRoute<I>(guard, (...upgrade) => tell?.(...upgrade))
    let tell: TellUpgrade | undefined
    let close = () => {}

    /** Answers who was not accepted. */
    async function answer({ raw }: FastifyRequest, reply: FastifyReply, pass: () => void): Promise<unknown> {
      if (await routes.node(raw, reply.raw)) return reply.hijack()
      if (raw.headers.upgrade === undefined) return pass()
      // The router knows other spellings of the path than the one that is guarded.
      const { status, headers, body } = refusalAnswer(guard.refuse(fromNode(raw), 'handshake-target'))
      return reply.code(status).headers(headers).send(body)
    }

    app.addHook('onRequest', (request, reply, pass) => {
      if (!urls.has(request.routeOptions.url ?? '') || framework.meet(request.raw)) pass()
      else answer(request, reply, pass).catch(pass)
    })
    // The router knows these, so that the hook is called for them.
    for (const route of behind) app.all(route, notFound)
    if (onConnection) app.get(path, notFound)
    if (!app.hasRequestDecorator('guarded')) app.decorateRequest('guarded', { getter: guardedOf })

    app.addHook('onReady', async () => {
      if (!onConnection) tell = joinPlugin(app, framework)
      const theirs = onConnection ? options.webSocketServer : app.websocketServer
      const webSocketServer = theirs ?? defaultWebSocketServer({ clientTracking: true })
      const { take, endAll } = endable(guard, webSocketServer, onConnection ?? framework.onConnection)
      const giveBack = guardServer(app.server, guard, { ...options, path: url, webSocketServer }, take)
      const letGo = completeInjected(app.server)
      close = () => {
        letGo()
        giveBack()
        endAll()
      }
    })
    app.addHook('preClose', async () => close())
  }
  return Object.assign(plugin, pluginMarks)
}

/** What fastify-plugin says of a plugin: that what it adds is for who registers it, and for which Fastify it is. */
const pluginMarks = {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@sallyport/server',
  [Symbol.for('plugin-meta')]: { name: '@sallyport/server', fastify: '5.x' },
}

const notFound = (_: FastifyRequest, reply: FastifyReply) => reply.callNotFound()

function guardedOf(this: FastifyRequest): Connection {
  const connection = metConnection(this.raw)
  if (!connection) throw new TypeError('request.guarded: the request has come by no guarded WebSocket route')
  return connection
}

/** An application with the server of `@fastify/websocket`, where that is registered. */
interface WebSocketApp extends FastifyInstance {
  readonly websocketServer?: WebSocketServer
}

/**
 * Lets the plugin upgrade what is open already. Answers how to tell it of an upgrade: it alone, and not who else listens.
 *
 * @throws ConfigurationError when it is not there
 */
function joinPlugin<I extends Identity>(
  { server, websocketServer: webSocketServer }: WebSocketApp,
  framework: FrameworkRoute<I>,
): TellUpgrade {
  // Its listener asks Fastify's router, which a bundler leaves as it is; it has no other name.
  const listener = server.listeners('upgrade').find((listener) => String(listener).includes('.routing('))
  if (!listener || !webSocketServer) {
    throw new ConfigurationError(
      'no-handler',
      'guardFastify: nobody takes the sockets; register @fastify/websocket on the same application, or give a handler',
    )
  }
  const { handleUpgrade } = webSocketServer
  webSocketServer.handleUpgrade = (request, socket, head, take) => {
    const isOurs = framework.upgrade(request, (webSocket) => take(webSocket, request))
    if (!isOurs) Reflect.apply(handleUpgrade, webSocketServer, [request, socket, head, take])
  }
  return (...upgrade) => Reflect.apply(listener, server, upgrade)
}

/** Adds to requests that `injectWS` makes up what those of Node.js have, so that tests need no network. */
function completeInjected(server: Server): () => void {
  return tapEvents(server, (event, [request, socket]) => {
    if (event !== 'upgrade' || (request as IncomingMessage).rawHeaders) return false
    const { headers } = request as IncomingMessage
    headers.host ??= 'localhost'
    const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
    Object.assign(request as IncomingMessage, { rawHeaders, socket, httpVersion: '1.1' })
    return false
  })
}
