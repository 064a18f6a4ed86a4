import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { type ConnectionHandler, type GuardServerOptions, guardServer } from '../adapters/ws/guard-server.js'
import type { Connection } from '../connections/connection.js'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import { createRoutes } from '../routes.js'
import type { TestClock } from './clock.js'
import { WireEnd } from './wire.js'

export { type TestClock, testClock } from './clock.js'

const longestLeeway = 60_000
// How much later than that the timer may look.
const tick = 1_000

/** Options of {@link testServer}. */
export interface TestServerOptions<I extends Identity> extends Partial<GuardServerOptions<I>> {
  /** The clock that the guard was created with. */
  readonly clock: TestClock
}

/** How a test client connects. */
export interface ConnectOptions {
  /** The query, such as `ticket=…`. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly origin?: string
  readonly protocols?: readonly string[]
  /** The client's address. Default: one of its own for each client, and {@link TestClient.connection} is found by it. */
  readonly address?: string
}

/** A guarded route without a network: the guard, the HTTP server and the sockets are the real ones. */
export interface TestServer<I extends Identity> {
  /** Connects. Rejects with {@link RefusedError} when the handshake is refused with a status. */
  connect(options?: ConnectOptions): Promise<TestClient<I>>
  /** Calls one of the routes, such as `/ws/ticket`, as an HTTP client would. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** A client of a {@link TestServer}. */
export interface TestClient<I extends Identity> {
  /** The client's side of the socket. */
  readonly socket: WebSocket
  /** The connection, once the guard has accepted it. */
  readonly connection: Connection<I> | undefined
  send(data: string | Buffer): void
  /** The next message: text as a string, binary as a buffer. Rejects when the socket closes first. */
  receive(): Promise<string | Buffer>
  /** Resolves when the socket is closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  /** Lets time pass until the credential has ended and the guard has closed the connection. */
  expireNow(): void
  /** Revokes what the connection was accepted with: its session or else its user. */
  revokeNow(): Promise<void>
  /** Breaks the network under both sides: no Close, no FIN. */
  dropNetwork(): void
}

/** The guard refused a handshake with a status. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  constructor(
    readonly status: number,
    readonly headers: IncomingMessage['headers'],
  ) {
    super(`The guard refused the handshake with ${status}`)
  }
}

/** Puts a guard and a handler on a server without a network. */
export function testServer<I extends Identity>(
  guard: Guard<I>,
  onConnection: ConnectionHandler<I>,
  { clock, path = '/ws', ...options }: TestServerOptions<I>,
): TestServer<I> {
  const server = createServer()
  const routes = createRoutes(guard, { path })
  const accepted = new Map<string, Connection<I>>()
  let clients = 0
  guardServer(server, guard, { path, ...options }, onConnection)
  guard.subscribe((event) => {
    if (event.type === 'accepted') accepted.set(event.connection.address, event.connection)
  })

  async function connect({ query, headers, origin, protocols = [], ...rest }: ConnectOptions = {}) {
    clients += 1
    const { address = `2001:db8:0:${clients.toString(16)}::1` } = rest
    const [near, far] = WireEnd.pair(address)
    server.emit('connection', far)
    const socket = new WebSocket(`ws://test${path}${query ? `?${query}` : ''}`, [...protocols], {
      headers,
      origin,
      perMessageDeflate: false,
      createConnection: () => near,
    })
    const client = new Client<I>(socket, near, () => accepted.get(address), guard, clock)
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

class Client<I extends Identity> implements TestClient<I> {
  readonly socket: WebSocket
  readonly opened: Promise<void>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly #wire: WireEnd
  readonly #connection: () => Connection<I> | undefined
  readonly #guard: Guard<I>
  readonly #clock: TestClock
  readonly #received: (string | Buffer)[] = []

  constructor(
    socket: WebSocket,
    wire: WireEnd,
    connection: () => Connection<I> | undefined,
    guard: Guard<I>,
    clock: TestClock,
  ) {
    this.socket = socket
    this.#wire = wire
    this.#connection = connection
    this.#guard = guard
    this.#clock = clock
    socket.on('message', (data: Buffer, isBinary) => {
      this.#received.push(isBinary ? data : data.toString())
      socket.emit('received')
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.opened = new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.on('error', reject)
      socket.once('unexpected-response', (_request, response) => {
        reject(new RefusedError(response.statusCode ?? 0, response.headers))
        socket.terminate()
      })
    })
  }

  get connection(): Connection<I> | undefined {
    return this.#connection()
  }

  send(data: string | Buffer): void {
    this.socket.send(data)
  }

  async receive(): Promise<string | Buffer> {
    while (this.#received.length === 0) {
      const closed = this.closed.then(({ code }) => {
        throw new Error(`The socket closed with ${code} before a message came`)
      })
      await Promise.race([once(this.socket, 'received'), closed])
    }
    return this.#received.shift()!
  }

  expireNow(): void {
    const { expiresAt } = this.#accepted()
    if (expiresAt === undefined) throw new Error('The credential of this connection has no end')
    this.#clock.advance(Math.max(0, expiresAt - this.#clock.now()) + longestLeeway + tick)
  }

  async revokeNow(): Promise<void> {
    const { session, identity } = this.#accepted()
    await this.#guard.revoke(session === undefined ? { user: identity.id } : { session })
  }

  dropNetwork(): void {
    this.#wire.cut()
  }

  #accepted(): Connection<I> {
    const { connection } = this
    if (!connection) throw new Error('The guard has not accepted this client')
    return connection
  }
}
