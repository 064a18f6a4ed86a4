import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { Clock } from '../../support/clock.js'
import { tapEvents } from './event-tap.js'

/** The events that tell of a request, whose head has come. */
export const requestEvents: ReadonlySet<string | symbol> = new Set([
  'request',
  'checkContinue',
  'checkExpectation',
  'connect',
  'upgrade',
])

const timeoutResponse = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** A connection whose head has not come. */
interface Waiting {
  readonly tcp: Socket
  /** The socket that HTTP is spoken on: the same or, once TLS is through, the one over it. */
  http: Socket | undefined
  readonly due: number
}

// Of those that have left before their time: swept out whenever there are twice as many as there were.
const leastSweep = 1_000

/**
 * Ends connections of a Node.js server that have not sent the whole head of their first request `ms` milliseconds after
 * they were opened, however busily they drip. Node's own `headersTimeout` is looked at every 30 seconds only, and is the
 * application's. TLS over a Unix socket is left to Node.
 *
 * @returns a function that ends the watch
 */
export function limitHeads(server: Server, clock: Clock, ms: number): () => void {
  const isSecure = server instanceof TlsServer
  // The socket of TLS is another than that of TCP, but both have the same peer.
  const peerOf = isSecure ? addressOf : itself
  // The oldest stands first, because the time is the same for all.
  const waiting = new Map<Peer, Waiting>()
  let sweepAt = leastSweep
  let cancelTimer: (() => void) | undefined

  // A listener on each socket would cost more than all else here: those that leave are found later.
  function watch(tcp: Socket): void {
    const peer = peerOf(tcp)
    if (peer === undefined) return
    waiting.delete(peer)
    if (waiting.size >= sweepAt) sweep()
    waiting.set(peer, { tcp, http: isSecure ? undefined : tcp, due: clock.now() + ms })
    cancelTimer ??= clock.after(ms, onTimer)
  }

  function sweep(): void {
    for (const [peer, { tcp }] of waiting) if (tcp.destroyed) waiting.delete(peer)
    sweepAt = Math.max(leastSweep, waiting.size * 2)
  }

  function onSecure(http: Socket): void {
    const entry = waiting.get(peerOf(http))
    if (entry) entry.http = http
  }

  function onHead({ socket }: IncomingMessage): void {
    if (waiting.delete(peerOf(socket)) && waiting.size === 0) stopTimer()
  }

  function stopTimer(): void {
    cancelTimer?.()
    cancelTimer = undefined
  }

  function onTimer(): void {
    const now = clock.now()
    for (const [peer, { tcp, http, due }] of waiting) {
      if (due > now) break
      waiting.delete(peer)
      if (http && !tcp.destroyed) endLate(http)
      else tcp.destroy()
    }
    const [oldest] = waiting.values()
    cancelTimer = oldest && clock.after(oldest.due - now, onTimer)
  }

  const untap = tapEvents(server, (event, [subject]) => {
    if (event === 'connection') watch(subject as Socket)
    else if (event === 'secureConnection') onSecure(subject as Socket)
    else if (requestEvents.has(event)) onHead(subject as IncomingMessage)
    return false
  })
  return () => {
    untap()
    waiting.clear()
    stopTimer()
  }
}

/** What connections are told apart by; `undefined` for TLS over a Unix socket, whose peers have no address. */
type Peer = string | Socket | undefined

const itself = (socket: Socket): Peer => socket

const addressOf = (socket: Socket): Peer =>
  socket.remotePort === undefined ? undefined : `${socket.remoteAddress} ${socket.remotePort}`

/** Ends a connection whose head comes too late. */
export function endLate(socket: Socket): void {
  if (socket.bytesRead > 0) socket.write(timeoutResponse)
  socket.end(() => socket.destroy())
}
