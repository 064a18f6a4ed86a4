import type { Server } from 'node:http'
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

/**
 * Ends connections of a Node.js server that have not sent the whole head of their first request `ms` milliseconds after
 * they were opened, however busily they drip. Node's own `headersTimeout` starts with the first byte, so that a silent
 * connection stays for ever, and is looked at every 30 seconds only. TLS over a Unix socket is left to Node.
 *
 * @returns a function that ends the watch
 */
export function limitHeads(server: Server, clock: Clock, ms: number): () => void {
  // The socket of TLS is another than that of TCP, but both have the same peer.
  const peerOf = server instanceof TlsServer ? addressOf : itself
  // The oldest stands first, because the time is the same for all.
  const waiting = new Map<Peer, Waiting>()
  let cancelTimer: (() => void) | undefined

  function watch(tcp: Socket): void {
    const peer = peerOf(tcp)
    if (peer === undefined) return
    const http = server instanceof TlsServer ? undefined : tcp
    forget(peer)
    waiting.set(peer, { tcp, http, due: clock.now() + ms })
    tcp.on('close', onClose)
    if (!cancelTimer) setTimer()
  }

  function onSecure(http: Socket): void {
    const entry = waiting.get(peerOf(http))
    if (entry) entry.http = http
  }

  function forget(peer: Peer): void {
    const entry = waiting.get(peer)
    if (!entry) return
    waiting.delete(peer)
    entry.tcp.off('close', onClose)
    if (waiting.size > 0) return
    cancelTimer?.()
    cancelTimer = undefined
  }

  // One function for all, because there are many.
  function onClose(this: Socket): void {
    forget(peerOf(this))
  }

  /** Waits for the one that is due first. */
  function setTimer(): void {
    const [oldest] = waiting.values()
    cancelTimer = oldest && clock.after(Math.max(0, oldest.due - clock.now()), onTimer)
  }

  function onTimer(): void {
    for (const [peer, entry] of waiting) {
      if (entry.due > clock.now()) break
      forget(peer)
      if (entry.http) endLate(entry.http)
      else entry.tcp.destroy()
    }
    setTimer()
  }

  const untap = tapEvents(server, (event, [subject]) => {
    if (event === 'connection') watch(subject as Socket)
    else if (event === 'secureConnection') onSecure(subject as Socket)
    else if (requestEvents.has(event)) forget(peerOf((subject as { readonly socket: Socket }).socket))
    return false
  })
  return () => {
    untap()
    for (const peer of [...waiting.keys()]) forget(peer)
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
