import { outcomeOfClose, outcomes } from '@sallyport/protocol'
import type { GuardedSocket } from './guarded-socket.js'
import type { GuardedSocketOptions } from './options.js'
import type { Outcome } from './outcome.js'
import { StandardSocket } from './standard-socket.js'

/** Options of {@link webSocketClass}. */
export interface WebSocketClassOptions extends Omit<GuardedSocketOptions, 'protocols'> {
  /**
   * Called when another socket would end as this one did: the server said no for good, or refused two credentials in a row,
   * or somebody has to repair something. A library that retries by itself is stopped here: `() => client.dispose()`.
   */
  readonly onTerminal?: (outcome: Outcome) => void
}

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
export function webSocketClass(options: WebSocketClassOptions): GuardedWebSocketClass {
  const watch = watchEnds(options)
  const Class = class WebSocket extends StandardSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, protocols, options)
      watch(this)
    }
  }
  for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
    for (const where of [Class, Class.prototype]) Object.defineProperty(where, name, { value, enumerable: true })
  }
  return Class
}

/** Watches the sockets of one class, which stand for one socket of the library. */
function watchEnds({ onTerminal, reconnect }: WebSocketClassOptions): (socket: GuardedSocket) => void {
  let rejected = false
  return (socket) => {
    socket.addEventListener('message', () => {
      rejected = false
    })
    socket.addEventListener('terminal', ({ outcome }) => {
      // With `reconnect: false` every end is terminal for the socket, and few for the library.
      const { action } = outcomes.find(({ kind }) => kind === outcome.kind) ?? outcomeOfClose(outcome.code ?? 0)
      const isOver = reconnect !== false || action === 'stop' || (action === 'retry-once' && rejected)
      rejected = action === 'retry-once'
      if (isOver) onTerminal?.(outcome)
    })
  }
}
