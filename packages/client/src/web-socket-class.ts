import { GuardedSocket } from './guarded-socket.js'
import type { GuardedSocketOptions } from './options.js'

/** A class that is made as a `WebSocket` is made. */
export interface GuardedWebSocketClass {
  new (url: string | URL, protocols?: string | string[]): GuardedSocket
  readonly prototype: GuardedSocket
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3
}

/**
 * A `WebSocket` class for libraries that make their sockets themselves. A library with its own way of retrying needs
 * `reconnect: false`.
 *
 * ```ts
 * createClient({ url, webSocketImpl: webSocketClass({ credential: ticket('/ws/ticket'), reconnect: false }) })
 * ```
 */
export function webSocketClass(options: Omit<GuardedSocketOptions, 'protocols'>): GuardedWebSocketClass {
  return class extends GuardedSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, { ...options, protocols })
    }
  }
}
