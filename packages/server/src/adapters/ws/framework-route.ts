import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { type CodeName, codes } from '@sallyport/protocol'
import type { WebSocket } from 'ws'
import type { Connection } from '../../connections/connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import type { Clock } from '../../support/clock.js'
import { ConfigurationError } from '../../support/errors.js'
import { acceptedBy } from './connection-of.js'
import type { ConnectionHandler } from './hand-over.js'

/** Tells a framework of an upgrade, as the `upgrade` event of a server does. */
export type TellUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

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
  readonly onConnection: ConnectionHandler<I> = (webSocket, connection, request: PassingRequest) => {
    const socket = new StandIn((status) => this.#end(webSocket, status))
    const passing = new Passage(this, connection, webSocket, socket)
    request[passage] = passing
    hideCredentials(request, connection)
    this.#tell(request, socket, nothing)
    return passing.whenListening(this.#guard.clock)
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
    else
      passing.fail(
        new ConfigurationError('route-without-guard', `nothing of the guard stands before the route of ${url}`),
      )
    return true
  }

  #end(webSocket: WebSocket, status: number): void {
    const connections = liveConnections(this.#guard)
    const connection = acceptedBy(this.#guard, webSocket)
    if (connection) connections.end(connection, codeOf(status), { reason: `the application answered ${status}` })
  }
}

/** The connection that a request is of, once it has met what stands before its route. */
export const metConnection = ({ [passage]: passing }: PassingRequest): Connection | undefined =>
  passing?.isMet ? passing.connection : undefined

/** An accepted socket on its way through a framework. */
class Passage {
  /** Whether it has come by what stands before its route. */
  isMet = false
  #isGiven = false
  #error: Error | undefined
  /** Told that it is given, or cannot be. */
  #onEnd: (() => void) | undefined

  constructor(
    readonly route: unknown,
    readonly connection: Connection,
    readonly webSocket: WebSocket,
    readonly socket: Duplex,
  ) {}

  give(take: Take): void {
    // It may be over: hooks take their time.
    if (this.webSocket.readyState !== this.webSocket.OPEN) return
    take(this.webSocket)
    this.#isGiven = true
    this.#onEnd?.()
  }

  fail(error: Error): void {
    this.#error = error
    this.#onEnd?.()
  }

  /** Settles once somebody listens for messages, or takes too long to; `undefined` when somebody does. */
  whenListening(clock: Clock): Promise<void> | undefined {
    const { webSocket, socket } = this
    const isHeard = () => this.#isGiven && webSocket.listenerCount('message') > 0
    if (isHeard()) return undefined
    return new Promise((resolve, reject) => {
      const onGone = () => void socket.destroy()
      webSocket.once('close', onGone)
      this.#onEnd = () => {
        webSocket.off('close', onGone)
        if (this.#error) return reject(this.#error)
        setImmediate(() => {
          if (isHeard()) resolve()
          else clock.after(patience, resolve)
        })
      }
      if (this.#isGiven || this.#error) this.#onEnd()
    })
  }
}

/** Stands for the socket of an upgrade that is done. Nothing comes from it, and what is written to it is an HTTP response. */
class StandIn extends Duplex {
  readonly #onStatus: (status: number) => void

  constructor(onStatus: (status: number) => void) {
    super()
    this.#onStatus = onStatus
  }

  override _read(): void {}

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
