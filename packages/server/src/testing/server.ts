import { createServer } from 'node:http'
import { WebSocket } from 'ws'
import { type ConnectionHandler, type GuardServerOptions, guardServer } from '../adapters/ws/guard-server.js'
import type { Connection } from '../connections/connection.js'
import type { Guard } from '../guard/guard.js'
import type { ParamsOf, RoutePath } from '../handshake/path.js'
import type { Identity } from '../identity.js'
import { createRoutes } from '../routes.js'
import { Client, type TestClient } from './client.js'
import type { TestClock } from './clock.js'
import { WireEnd } from './wire.js'

/** Options of {@link testServer}. */
export interface TestServerOptions<I extends Identity, P extends RoutePath = RoutePath>
  extends Partial<GuardServerOptions<I, P>> {
  /** The clock that the guard was created with. */
  readonly clock: TestClock
}

/** How a test client connects. */
export interface ConnectOptions {
  /** The path, where the route has several. Default: that of the server. */
  readonly path?: string
  /** The query, such as `ticket=…`. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly origin?: string
  readonly protocols?: readonly string[]
  /** The client's address. Default: one of its own for each client. */
  readonly address?: string
}

/** A guarded route without a network: the guard, the HTTP server and the sockets are the real ones. */
export interface TestServer<I extends Identity> {
  /** Connects. Rejects with {@link RefusedError} when the handshake is refused with a status. */
  connect(options?: ConnectOptions): Promise<TestClient<I>>
  /** Calls one of the routes, such as `/ws/ticket`, as an HTTP client would. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

let clients = 0

/** An address of its own for each client, on whatever server: not even of one /64. */
function nextAddress(): string {
  clients += 1
  return `2001:db8:${(clients >> 16).toString(16)}:${(clients & 0xffff).toString(16)}::1`
}

/** Puts a guard and a handler on a server without a network. */
export function testServer<I extends Identity, const P extends RoutePath = '/ws'>(
  guard: Guard<I>,
  onConnection: ConnectionHandler<I, ParamsOf<P>>,
  options: TestServerOptions<I, P>,
): TestServer<I>
export function testServer<I extends Identity>(
  guard: Guard<I>,
  onConnection: ConnectionHandler<I>,
  { clock, path = '/ws', ...options }: TestServerOptions<I>,
): TestServer<I> {
  const server = createServer()
  const routes = createRoutes(guard, { path })
  /** By the server's end of the wire. */
  const accepted = new WeakMap<object, Connection<I>>()
  guardServer(server, guard, { path, ...options }, (socket, connection, request) => {
    accepted.set(request.socket, connection)
    return onConnection(socket, connection, request)
  })

  async function connect({ query, headers, origin, protocols = [], ...rest }: ConnectOptions = {}) {
    const { address = nextAddress(), path: to = String(path) } = rest
    const [near, far] = WireEnd.pair(address)
    server.emit('connection', far)
    const socket = new WebSocket(`ws://test${to}${query ? `?${query}` : ''}`, [...protocols], {
      headers,
      origin,
      perMessageDeflate: false,
      createConnection: () => near,
    })
    const client = new Client<I>({ socket, near, far, guard, clock, connection: () => accepted.get(far) })
    await client.opened
    return client
  }

  return {
    connect,
    async fetch(route, init) {
      const response = await routes.fetch(new Request(`http://test${route}`, init), '192.0.2.1')
      return response ?? new Response(null, { status: 404 })
    },
  }
}
