import type { EventEmitter } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { WebSocket } from 'ws'

/** Asked about a frame before the broker: `next()` goes on, and `false` refuses it. The broker's own have no WebSocket. */
export type Middleware = (socket: WebSocket | object, frame: { dest: string }, next: () => boolean) => boolean

/** As much of stomp-broker-js as the example uses: it comes without types. */
export interface StompBroker extends EventEmitter {
  /** Told of each socket that is open. */
  readonly socket: { emit(event: 'connection', socket: WebSocket): boolean }
  addMiddleware(command: 'subscribe' | 'send', middleware: Middleware): void
  send(destination: string, headers: object, body: string): void
  on(event: 'subscribe', listener: (subscription: { readonly topic: string; readonly socket: WebSocket }) => void): this
  on(
    event: 'send',
    listener: (sent: { readonly dest: string; readonly frame: { readonly body: string } }) => void,
  ): this
  on(event: 'error', listener: () => void): this
}

const StompServer: new (options: { server: Server }) => StompBroker = createRequire(import.meta.url)('stomp-broker-js')

/** A broker whose own server never listens: its sockets come from the guard. */
export function createBroker(): StompBroker {
  // What goes wrong on a socket would end the process.
  return new StompServer({ server: createServer() }).on('error', () => {})
}
