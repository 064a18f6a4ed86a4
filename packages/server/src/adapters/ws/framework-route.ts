import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { type CodeName, codes } from '@sallyport/protocol'
import type { WebSocket } from 'ws'
import type { Connection } from '../../connections/connection.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import { ConfigurationError } from '../../support/errors.js'
import { acceptedBy } from './connection-of.js'
import type { ConnectionHandler } from './hand-over.js'

/** Tells a framework of an upgrade, as the `upgrade` event of a server does. */
export type TellUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** What a framework does with the WebSocket of an upgrade. */
type Take = (webSocket: WebSocket) => void

/** An accepted socket on its way through a framework. */
interface Passing<I extends Identity> {
  readonly connection: Connection<I>
  /** Whether it has come by what stands before its route. */
  isMet: boolean
  readonly give: (take: Take) => void
  readonly fail: (error: Error) => void
}

/** How long a handler may take to listen for messages, in milliseconds. */
const patience = 10_000
const nothing = Buffer.alloc(0)

/**
 * Hands accepted sockets to a route of a framework that upgrades by itself. It is told of the upgrade with a stand-in for
 * the socket, so that its hooks run and its route is found. When it upgrades the stand-in, it is given the WebSocket that
 * is open already; what it answers instead ends the connection.
 */
export class FrameworkRoute<I extends Identity> {
  readonly #guard: Guard<I>
  readonly #tell: TellUpgrade
  readonly #passing = new WeakMap<IncomingMessage, Passing<I>>()

  constructor(guard: Guard<I>, tell: TellUpgrade) {
    this.#guard = guard
    this.#tell = tell
  }

  /** Takes an accepted socket. */
  readonly onConnection: ConnectionHandler<I> = (webSocket, connection, request) =>
    new Promise<void>((resolve, reject) => {
      const socket = standIn((status) => this.#end(webSocket, status))
      const onGone = () => socket.destroy()
      webSocket.once('close', onGone)
      const give = (take: Take) => {
        webSocket.off('close', onGone)
        // It may be over: hooks take their time.
        if (webSocket.readyState !== webSocket.OPEN) return socket.destroy()
        take(webSocket)
        this.#whenListening(webSocket, resolve)
      }
      this.#passing.set(request, { connection, isMet: false, give, fail: reject })
      hideCredentials(request, connection)
      this.#tell(request, socket, nothing)
    })

  /** The connection that a request is of: for what stands before the route, so that nobody gets there otherwise. */
  meet(request: IncomingMessage): Connection<I> | undefined {
    const passing = this.#passing.get(request)
    if (passing) passing.isMet = true
    return passing?.connection
  }

  /** Gives the framework the WebSocket of a request; `false` when the request is none of ours. */
  upgrade(request: IncomingMessage, take: Take): boolean {
    const passing = this.#passing.get(request)
    if (passing?.isMet) passing.give(take)
    else passing?.fail(new ConfigurationError(`nothing of the guard stands before the route of ${request.url}`))
    return passing !== undefined
  }

  /** Calls back once somebody listens for messages, or takes too long to. Until then they wait. */
  #whenListening(webSocket: WebSocket, callback: () => void): void {
    const isHeard = () => webSocket.listenerCount('message') > 0
    if (isHeard()) callback()
    else
      setImmediate(() => {
        if (isHeard()) callback()
        else this.#guard.clock.after(patience, callback)
      })
  }

  #end(webSocket: WebSocket, status: number): void {
    const { connections } = this.#guard
    const connection = acceptedBy(this.#guard, webSocket)
    if (connection) connections.end(connection, codeOf(status), { reason: `the application answered ${status}` })
  }
}

/** Stands for the socket of an upgrade that is done. Nothing comes from it, and what is written to it is an HTTP response. */
function standIn(onStatus: (status: number) => void): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      const status = Number(/^HTTP\/1\.1 ([2-5]\d\d)/.exec(chunk.toString('latin1'))?.[1])
      if (status) onStatus(status)
      done()
    },
  })
}

/** The code that says what a status does, also one that is in no table. */
function codeOf(status: number): CodeName {
  const names = Object.keys(codes) as CodeName[]
  const named = names.find((name) => 'close' in codes[name] && 'status' in codes[name] && codes[name].status === status)
  return named ?? (status >= 400 && status < 500 ? 'forbidden' : 'internal')
}

/** Frameworks log what was asked for. */
function hideCredentials(request: IncomingMessage, { path, query }: Connection): void {
  if (request.url?.includes('?')) request.url = query.size > 0 ? `${path}?${query}` : path
}
