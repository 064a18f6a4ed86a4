import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { Clock } from '../../support/clock.js'

// Told in place of a request where anybody listens, so that a listener of ours alone would change what the server does.
const otherRequests = ['checkContinue', 'checkExpectation', 'connect']

const isOther = (event: string | symbol): event is string => otherRequests.some((other) => other === event)

const timeoutResponse = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** A watch over the heads of a server. */
export interface HeadWatch {
  /** Tells that the head of a connection has come. The watch sees requests itself, but not upgrades. */
  release(socket: Socket): void
  /** Ends the watch. */
  stop(): void
}

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
 */
export function limitHeads(server: Server, clock: Clock, ms: number): HeadWatch {
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
      end(entry)
    }
    setTimer()
  }

  function onListener(event: string | symbol, listener?: unknown): void {
    if (!isOther(event) || listener === onRequest || server.listeners(event).includes(onRequest)) return
    server.prependListener(event, onRequest)
  }

  function onListenerGone(event: string | symbol): void {
    if (isOther(event) && server.listenerCount(event) === 1) server.off(event, onRequest)
  }

  const release = (socket: Socket) => forget(peerOf(socket))
  const onRequest = ({ socket }: { readonly socket: Socket }) => release(socket)
  server.on('connection', watch)
  server.on('secureConnection', onSecure)
  server.prependListener('request', onRequest)
  for (const event of otherRequests) if (server.listenerCount(event) > 0) onListener(event)
  server.on('newListener', onListener)
  server.on('removeListener', onListenerGone)
  return {
    release,
    stop() {
      server.off('connection', watch)
      server.off('secureConnection', onSecure)
      server.off('request', onRequest)
      server.off('newListener', onListener)
      server.off('removeListener', onListenerGone)
      for (const event of otherRequests) server.off(event, onRequest)
      for (const peer of [...waiting.keys()]) forget(peer)
    },
  }
}

/** What connections are told apart by; `undefined` for TLS over a Unix socket, whose peers have no address. */
type Peer = string | Socket | undefined

const itself = (socket: Socket): Peer => socket

const addressOf = (socket: Socket): Peer =>
  socket.remotePort === undefined ? undefined : `${socket.remoteAddress} ${socket.remotePort}`

function end({ tcp, http }: Waiting): void {
  if (!http) {
    tcp.destroy()
    return
  }
  if (http.bytesRead > 0) http.write(timeoutResponse)
  http.end(() => http.destroy())
}
