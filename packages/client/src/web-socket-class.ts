import type { GuardedSocket } from './guarded-socket.js'
import type { GuardedSocketOptions } from './options.js'
import { StandardSocket } from './standard-socket.js'

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
 * A `WebSocket` class for libraries that make their sockets themselves: it follows the standard where a
 * {@link GuardedSocket} is kinder. `send()` throws before the socket is open, `close()` for a code or a reason that cannot
 * be sent, the constructor for subprotocols that are none; and a `close()` before the socket is open is an `error`, and a
 * `close` of 1006. A library with its own way of retrying needs `reconnect: false`.
 *
 * ```ts
 * createClient({ url, webSocketImpl: webSocketClass({ credential: ticket('/ws/ticket'), reconnect: false }) })
 * ```
 */
export function webSocketClass(options: Omit<GuardedSocketOptions, 'protocols'>): GuardedWebSocketClass {
  const Class = class WebSocket extends StandardSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, protocols, options)
    }
  }
  for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
    for (const where of [Class, Class.prototype]) Object.defineProperty(where, name, { value, enumerable: true })
  }
  return Class
}
