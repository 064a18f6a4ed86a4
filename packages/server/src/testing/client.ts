import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Connection } from '../connections/connection.js'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import type { TestClock } from './clock.js'
import type { WireEnd } from './wire.js'

const longestLeeway = 60_000
// How much later than that the timer may look.
const tick = 1_000
// Before the end: later than any notice, and too early for the leeway.
const notLong = 1_000

/** A client of a test server. */
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
  /**
   * Lets time pass until a second before the credential ends: who speaks the frames has been told, and who renews renews
   * now.
   */
  expireSoon(): void
  /** Resolves at the next renewal of the connection. Rejects when the socket closes first. */
  renewed(): Promise<void>
  /** Lets time pass until the credential has ended and the guard has closed the connection. */
  expireNow(): void
  /** Revokes what the connection was accepted with: its session, or else what was issued to its user. */
  revokeNow(): Promise<void>
  /** Breaks the network under both sides: no Close, no FIN, an error on both. */
  dropNetwork(): void
  /**
   * Lets the network swallow what one side sends from now on, or both sides: data, Close and FIN. Neither is told, and each
   * takes the other for alive. Default: `both`.
   */
  losePackets(from?: 'client' | 'server' | 'both'): void
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

/** What a client is made of. */
export interface ClientOptions<I extends Identity> {
  readonly socket: WebSocket
  /** The client's end of the wire, and the server's. */
  readonly near: WireEnd
  readonly far: WireEnd
  readonly guard: Guard<I>
  readonly clock: TestClock
  /** The connection, once the guard has accepted it. */
  readonly connection: () => Connection<I> | undefined
}

export class Client<I extends Identity> implements TestClient<I> {
  readonly socket: WebSocket
  readonly opened: Promise<void>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly #options: ClientOptions<I>
  readonly #received: (string | Buffer)[] = []

  constructor(options: ClientOptions<I>) {
    const { socket } = options
    this.#options = options
    this.socket = socket
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
    return this.#options.connection()
  }

  send(data: string | Buffer): void {
    this.socket.send(data)
  }

  async receive(): Promise<string | Buffer> {
    while (this.#received.length === 0) await this.#beforeClose(once(this.socket, 'received'), 'a message came')
    return this.#received.shift()!
  }

  expireSoon(): void {
    this.#advanceTo(this.#expiresAt() - notLong)
  }

  async renewed(): Promise<void> {
    const connection = this.#accepted()
    const { guard } = this.#options
    let leave = () => {}
    const renewed = new Promise<void>((resolve) => {
      leave = guard.subscribe((event) => {
        if (event.type === 'renewed' && event.connection === connection) resolve()
      })
    })
    await this.#beforeClose(renewed, 'it was renewed').finally(leave)
  }

  expireNow(): void {
    const { clock } = this.#options
    this.#advanceTo(Math.max(clock.now(), this.#expiresAt()) + longestLeeway + tick)
  }

  async revokeNow(): Promise<void> {
    const { session, identity } = this.#accepted()
    const { id: user, issuer, tenant } = identity
    const ofUser = { user, ...(issuer !== undefined && { issuer }), ...(tenant !== undefined && { tenant }) }
    await this.#options.guard.revoke(session === undefined ? ofUser : { session })
  }

  dropNetwork(): void {
    this.#options.near.cut()
  }

  losePackets(from: 'client' | 'server' | 'both' = 'both'): void {
    const { near, far } = this.#options
    if (from !== 'server') near.lose()
    if (from !== 'client') far.lose()
  }

  async #beforeClose<T>(promise: Promise<T>, what: string): Promise<T> {
    const closed = this.closed.then(({ code }) => {
      throw new Error(`The socket closed with ${code} before ${what}`)
    })
    return Promise.race([promise, closed])
  }

  #advanceTo(time: number): void {
    const { clock } = this.#options
    clock.advance(Math.max(0, time - clock.now()))
  }

  #expiresAt(): number {
    const { expiresAt } = this.#accepted()
    if (expiresAt === undefined) throw new Error('The credential of this connection has no end')
    return expiresAt
  }

  #accepted(): Connection<I> {
    const { connection } = this
    if (!connection) throw new Error('The guard has not accepted this client')
    return connection
  }
}
