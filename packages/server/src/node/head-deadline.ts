import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'

const tick = 1_000
const timeoutResponse = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** A watch over the heads of a server. */
export interface HeadWatch {
  /** Tells that the head of a connection has come. The watch sees requests itself, but not upgrades. */
  release(socket: Socket): void
  /** Ends the watch. */
  stop(): void
}

/**
 * Ends connections of a Node.js server that have not sent the whole head of their first request `ms` milliseconds after
 * they were opened, up to a second late, however busily they drip. Node's own `headersTimeout` starts with the first byte,
 * so that a silent connection stays for ever, and is looked at every 30 seconds only.
 */
export function limitHeads(server: Server, clock: Clock, ms: number): HeadWatch {
  // The oldest stands first, because the time is the same for all.
  const waiting = new Map<Socket, number>()
  let cancelTick: (() => void) | undefined

  function watch(socket: Socket): void {
    waiting.set(socket, clock.now() + ms)
    socket.once('close', onClose)
    cancelTick ??= clock.after(tick, onTick)
  }

  function release(socket: Socket): void {
    if (!waiting.delete(socket)) return
    socket.off('close', onClose)
    if (waiting.size > 0) return
    cancelTick?.()
    cancelTick = undefined
  }

  function onTick(): void {
    cancelTick = clock.after(tick, onTick)
    for (const [socket, due] of waiting) {
      if (due > clock.now()) return
      release(socket)
      if (socket.bytesRead > 0) socket.write(timeoutResponse)
      socket.end(() => socket.destroy())
    }
  }

  function onClose(this: Socket): void {
    release(this)
  }

  const onRequest = ({ socket }: { readonly socket: Socket }) => release(socket)
  server.on('connection', watch)
  server.prependListener('request', onRequest)
  return {
    release,
    stop() {
      server.off('connection', watch)
      server.off('request', onRequest)
      for (const socket of [...waiting.keys()]) release(socket)
    },
  }
}
