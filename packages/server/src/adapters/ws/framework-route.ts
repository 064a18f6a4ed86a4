import type { IncomingMessage } from 'node:http'
import { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type CodeName, codes } from '@sallyport/protocol'
import type { WebSocket } from 'ws'
import type { Connection } from '../../connections/connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import type { Clock } from '../../support/clock.js'
import { ConfigurationError } from '../../support/errors.js'
import { acceptedBy } from './connection-of.js'
import { type ConnectionHandler, givesUp, isHeard, type Unheard } from './hand-over.js'

/** Tells a framework of an upgrade, as the `upgrade` event of a server does. */
export type TellUpgrade = (request: IncomingMessage, socket: Writable, head: Buffer) => void

/** What a framework does with the WebSocket of an upgrade. */
type Take = (webSocket: WebSocket) => void

/** How long a handler may take to listen for messages, in milliseconds. */
const patience = 10_000
const nothing = Buffer.alloc(0)
const passage = Symbol('passage')

/** The request of an accepted socket that is on its way through a framework. */
interface PassingRequest extends IncomingMessage {
  [passage]?: Passage
}

/**
 * Hands accepted sockets to a route of a framework that upgrades by itself. It is told of the upgrade with a stand-in for
 * the socket, so that its hooks run and its route is found. When it upgrades the stand-in, it is given the WebSocket that
 * is open already; what it answers instead ends the connection.
 */
export class FrameworkRoute<I extends Identity> {
  readonly #guard: Guard<I>
  readonly #tell: TellUpgrade

  constructor(guard: Guard<I>, tell: TellUpgrade) {
    this.#guard = guard
    this.#tell = tell
  }

  /** Takes an accepted socket. */
  readonly onConnection: ConnectionHandler<I> = (webSocket, connection, request: PassingRequest): Unheard => {
    const socket = new StandIn((status) => {
      this.#end(webSocket, codeOf(status), { reason: `the application answered ${status}` })
    })
    const passing = new Passage(this, this.#guard.clock, connection, webSocket, socket)
    request[passage] = passing
    hideCredentials(request, connection)
    this.#tell(request, socket, nothing)
    passing.watch()
    return passing
  }

  /** The connection that a request is of: for what stands before the route, so that nobody gets there otherwise. */
  meet({ [passage]: passing }: PassingRequest): Connection<I> | undefined {
    if (passing?.route !== this) return undefined
    passing.isMet = true
    return passing.connection as Connection<I>
  }

  /** Gives the framework the WebSocket of a request; `false` when the request is none of ours. */
  upgrade({ [passage]: passing, url }: PassingRequest, take: Take): boolean {
    if (passing?.route !== this) return false
    if (passing.isMet) passing.give(take)
    else {
      const problem = `nothing of the guard stands before the route of ${url}`
      this.#end(passing.webSocket, 'internal', { error: new ConfigurationError('route-without-guard', problem) })
    }
    return true
  }

  #end(webSocket: WebSocket, code: CodeName, cause: { readonly reason?: string; readonly error?: unknown }): void {
    const connection = acceptedBy(this.#guard, webSocket)
    if (connection) liveConnections(this.#guard).end(connection, code, cause)
  }
}

/** The connection that a request is of, once it has met what stands before its route. */
export const metConnection = ({ [passage]: passing }: PassingRequest): Connection | undefined =>
  passing?.isMet ? passing.connection : undefined

/** An accepted socket on its way through a framework. */
class Passage implements Unheard {
  /** Whether it has come by what stands before its route. */
  isMet = false
  #givenAt: number | undefined
  #onGiven: (() => void) | undefined
  readonly #onGone = () => void this.socket.destroy()

  constructor(
    readonly route: unknown,
    readonly clock: Clock,
    readonly connection: Connection,
    readonly webSocket: WebSocket,
    readonly socket: Writable,
  ) {}

  /** Tells the framework when the client leaves on the way. */
  watch(): void {
    if (this.#givenAt === undefined) this.webSocket.on('close', this.#onGone)
  }

  give(take: Take): void {
    // It may be over: hooks take their time.
    if (this.webSocket.readyState !== this.webSocket.OPEN) return
    take(this.webSocket)
    this.webSocket.off('close', this.#onGone)
    this.#givenAt = this.clock.now()
    this.#onGiven?.()
  }

  /** Who was given the socket may take some time to listen. */
  async [givesUp](): Promise<void> {
    const { webSocket, clock } = this
    if (this.#givenAt === undefined) await new Promise<void>((resolve) => (this.#onGiven = resolve))
    await nextTurn()
    const left = this.#givenAt! + patience - clock.now()
    if (left > 0 && !isHeard(webSocket)) await new Promise<void>((resolve) => clock.after(left, resolve))
  }
}

/** Stands for the socket of an upgrade that is done: what is written to it is an HTTP response. */
class StandIn extends Writable {
  readonly #onStatus: (status: number) => void

  constructor(onStatus: (status: number) => void) {
    super()
    this.#onStatus = onStatus
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    const status = Number(/^HTTP\/1\.1 ([2-5]\d\d)/.exec(chunk.toString('latin1'))?.[1])
    if (status) this.#onStatus(status)
    done()
  }
}

/** The code that says what a status does, also one that is in no table. */
function codeOf(status: number): CodeName {
  const names = Object.keys(codes) as CodeName[]
  const named = names.find((name) => 'close' in codes[name] && 'status' in codes[name] && codes[name].status === status)
  return named ?? (status >= 400 && status < 500 ? 'forbidden' : 'internal')
}

/** Frameworks log what was asked for. */
function hideCredentials(request: IncomingMessage, connection: Connection): void {
  if (!request.url?.includes('?')) return
  const { path, query } = connection
  request.url = query.size > 0 ? `${path}?${query}` : path
}
