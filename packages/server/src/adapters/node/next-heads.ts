import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../support/clock.js'
import { tapEvents } from './event-tap.js'
import { endLate, requestEvents } from './head-deadline.js'

/** A connection that has been served, and waits for its next request. */
interface Idle {
  /** How much had been read when the request before was done. */
  readonly bytesRead: number
  /** When it was last looked at. */
  lookedAt: number
  /** When the head must be there; `undefined` while nothing of it has come. */
  due: number | undefined
}

const second = 1_000

/**
 * Ends connections of a Node.js server that are too slow with the head of a later request: it has `ms` milliseconds from
 * its first byte on, up to a second less, because nobody tells of that byte. How long a connection may be idle before is
 * the server's own `keepAliveTimeout`.
 *
 * @returns a function that ends the watch
 */
export function limitNextHeads(server: Server, clock: Clock, ms: number): () => void {
  const idle = new Map<Socket, Idle>()
  // Requests may come before the one in front of them is answered.
  const serving = new WeakMap<Socket, number>()
  let isOn = true
  let cancelTimer: (() => void) | undefined

  function begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    forget(socket)
    serving.set(socket, (serving.get(socket) ?? 0) + 1)
    const onDone = () => done(socket)
    response.once('close', () => {
      // What still comes may be the rest of a body.
      if (request.complete) onDone()
      else request.once('close', onDone)
    })
  }

  function done(socket: Socket): void {
    const left = (serving.get(socket) ?? 1) - 1
    serving.set(socket, left)
    if (left > 0 || socket.destroyed || !isOn) return
    idle.set(socket, { bytesRead: socket.bytesRead, lookedAt: clock.now(), due: undefined })
    socket.on('close', onClose)
    cancelTimer ??= clock.after(second, onTimer)
  }

  function forget(socket: Socket): void {
    if (!idle.delete(socket)) return
    socket.off('close', onClose)
    if (idle.size > 0) return
    cancelTimer?.()
    cancelTimer = undefined
  }

  /** Looks at a connection no more that has become something else: a request before that may still be answered. */
  function leave(socket: Socket): void {
    // Of most it is the first request.
    if (!serving.has(socket)) return
    serving.set(socket, Number.POSITIVE_INFINITY)
    forget(socket)
  }

  // One function for all, because there are many.
  function onClose(this: Socket): void {
    forget(this)
  }

  function onTimer(): void {
    const now = clock.now()
    cancelTimer = clock.after(second, onTimer)
    for (const [socket, entry] of idle) {
      if (entry.due === undefined && socket.bytesRead > entry.bytesRead) entry.due = entry.lookedAt + ms
      entry.lookedAt = now
      if (entry.due === undefined || entry.due > now) continue
      forget(socket)
      endLate(socket)
    }
  }

  const untap = tapEvents(server, (event, [request, response]) => {
    if (response instanceof ServerResponse) begin(request as IncomingMessage, response)
    else if (requestEvents.has(event)) leave((request as IncomingMessage).socket)
    return false
  })
  return () => {
    untap()
    isOn = false
    for (const socket of [...idle.keys()]) forget(socket)
  }
}
