import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { INestApplication } from '@nestjs/common'
import { WsAdapter } from '@nestjs/platform-ws'
import { WebSocketServer } from 'ws'
import { defaultMessageBytes } from '../../connections/socket-options.js'
import type { Guard } from '../../guard/guard.js'
import type { RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import { createRoutes, type Routes, type RoutesOptions } from '../../routes.js'
import { acceptedBy } from '../ws/connection-of.js'
import { endable } from '../ws/endable.js'
import { type GuardServerOptions, guardServer } from '../ws/guard-server.js'
import { knowClient } from './current-identity.js'

export { connectionOf } from '../ws/guard-server.js'
export {
  CurrentIdentity,
  type GuardedIdentity,
  type IdentityParameter,
  type NestGuard,
  type OfAnotherType,
  type ParameterOf,
} from './current-identity.js'

/** Options of {@link GuardedWsAdapter}. They hold for all gateways. */
export interface GuardedWsAdapterOptions<I extends Identity = Identity>
  extends Omit<GuardServerOptions<I>, 'path' | 'webSocketServer'>,
    Omit<RoutesOptions, 'path'> {
  /** Reads a message, as that of Nest's `WsAdapter`. Default: JSON. */
  readonly messageParser?: (
    data: string | Buffer | ArrayBuffer | Buffer[],
  ) => { event: string; data: unknown } | undefined
}

/** What stands in `@WebSocketGateway`, beside options of a `WebSocketServer`. */
export interface GatewayOptions {
  readonly path?: string
  readonly host?: string
  readonly namespace?: string
}

/**
 * Nest's `WsAdapter` behind a guard: gateways see accepted clients alone, each gateway at its `path`, `/` by default, which
 * may be a pattern such as `/rooms/:room`; one with a port of its own and no path has all paths of that port. Their
 * messages are 1 MiB at most, unless `@WebSocketGateway` names another `maxPayload`.
 *
 * ```ts
 * app.useWebSocketAdapter(new GuardedWsAdapter(app, guard))
 * ```
 *
 * It adds the routes of `createRoutes` behind each path, before the body parsers. `app.close()` closes the connections
 * with 1012.
 *
 * @throws ConfigurationError when the application starts, on what `guardServer` throws
 */
export class GuardedWsAdapter<I extends Identity> extends WsAdapter {
  readonly #guard: Guard<I>
  readonly #options: GuardedWsAdapterOptions<I>
  readonly #routes = new Map<Server, Routes[]>()
  readonly #endings = new Map<WebSocketServer, () => void>()

  /** @param app one that does not listen yet */
  constructor(app: INestApplication, guard: Guard<I>, options: GuardedWsAdapterOptions<I> = {}) {
    const { messageParser } = options
    const server: Server = app.getHttpServer()
    super(server, messageParser && { messageParser: (data) => messageParser(data) })
    this.#guard = guard
    this.#options = options
    app.use((request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
      this.#serve(server, request, response).then((isServed) => isServed || next(), next)
    })
  }

  override create(port: number, options: GatewayOptions = {}): WebSocketServer {
    const { path, namespace, ...settings } = options
    // Nest says why it cannot be.
    if (namespace) return super.create(port, { namespace })
    const server = port === 0 ? this.httpServer : this.#serverOf(port, settings.host)
    const routePath: RoutePath = port !== 0 && path === undefined ? () => ({}) : normalized(path)
    const webSocketServer = new WebSocketServer({ maxPayload: defaultMessageBytes, ...settings, noServer: true })
    const route = { ...this.#options, path: routePath, webSocketServer }
    const { take, endAll } = endable(this.#guard, webSocketServer, (client, connection, request) => {
      knowClient(client, connection)
      webSocketServer.emit('connection', client, request)
    })
    const giveBack = guardServer(server, this.#guard, route, take)
    this.#endings.set(webSocketServer, () => {
      giveBack()
      endAll()
    })
    this.#routesOf(server).push(createRoutes(this.#guard, route))
    return this.bindErrorHandler(webSocketServer)
  }

  /** The server of a port that some gateways have to themselves. */
  #serverOf(port: number, host: string | undefined): Server {
    const known: Server | undefined = this.httpServersRegistry.get(port)
    if (known) return known
    const server = createServer(async (request, response) => {
      if (!(await this.#serve(server, request, response))) response.writeHead(404).end()
    })
    this.httpServersRegistry.set(port, server)
    return server.listen({ port, host })
  }

  #routesOf(server: Server): Routes[] {
    const routes = this.#routes.get(server) ?? []
    this.#routes.set(server, routes)
    return routes
  }

  /** Answers a call of one of our routes; `false` when it is none. */
  async #serve(server: Server, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    for (const routes of this.#routesOf(server)) if (await routes.node(request, response)) return true
    return false
  }

  override async close(server: WebSocketServer): Promise<void> {
    const accepted = [...server.clients].filter((client) => acceptedBy(this.#guard, client))
    const closed = accepted.map((client) => new Promise((resolve) => client.once('close', resolve)))
    this.#endings.get(server)?.()
    await Promise.all(closed)
    await super.close(server)
  }
}

/** A path as Nest takes it. */
const normalized = (path = ''): string => `/${path}`.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '')
