import { outcomeOfClose, outcomes } from '@sallyport/protocol'
import { type Credential, type Reason, requireFunction, type Target } from './credentials/credential.js'
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
 * `close` of 1006. A library with its own way of retrying needs `reconnect: false`; the credential function then learns from
 * each socket of the class how the one before has ended.
 *
 * ```ts
 * createClient({ url, webSocketImpl: webSocketClass({ credential: ticket('/ws/ticket'), reconnect: false }) })
 * ```
 */
export function webSocketClass(options: WebSocketClassOptions): GuardedWebSocketClass {
  const { credential, watch } = asOne(options)
  const Class = class WebSocket extends StandardSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, protocols, { ...options, credential })
      watch(this)
    }
  }
  for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
    for (const where of [Class, Class.prototype]) Object.defineProperty(where, name, { value, enumerable: true })
  }
  return Class
}

/** The sockets of one class stand for one socket of the library: each goes on from what is known of those before. */
function asOne({ credential, onTerminal, reconnect }: WebSocketClassOptions) {
  requireFunction(credential)
  let reason: Reason = 'first'
  return {
    credential(target: Target): ReturnType<Credential> {
      const present = credential(target)
      return (attempt) => present(attempt.reason === 'first' ? { ...attempt, reason } : attempt)
    },
    watch(socket: GuardedSocket): void {
      socket.addEventListener('message', () => {
        reason = 'reconnect'
      })
      socket.addEventListener('terminal', ({ outcome }) => {
        // With `reconnect: false` every end is terminal for the socket, and few for the library.
        const { action } = outcomes.find(({ kind }) => kind === outcome.kind) ?? outcomeOfClose(outcome.code ?? 0)
        const rejected = action === 'retry-once'
        const isOver = reconnect !== false || action === 'stop' || (rejected && reason === 'rejected')
        if (rejected) reason = 'rejected'
        else if (outcome.kind === 'expired') reason = outcome.kind
        else if (reason === 'first') reason = 'reconnect'
        if (isOver) onTerminal?.(outcome)
      })
    },
  }
}
