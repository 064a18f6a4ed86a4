import { closeArguments, shut } from './close-arguments.js'
import { type Connection, connect } from './connection.js'
import type { Authentication, Reason } from './credentials/credential.js'
import { HandlerTarget } from './event-handlers.js'
import type { Details, Failure, GuardedSocketEventMap } from './events.js'
import { type GuardedSocketOptions, type Settings, settle, type UrlSource } from './options.js'
import { type Closure, type Ending, SocketError } from './outcome.js'
import { createQueue, type Queue } from './queue.js'
import { CLOSED, CLOSING, CONNECTING, OPEN } from './ready-state.js'
import { createRetry, type Retry } from './retry.js'
import type { Sendable, WebSocketLike } from './web-socket-like.js'

/**
 * A `WebSocket` that authenticates. It asks for a fresh credential for every attempt, is open when the server has
 * acknowledged it, reconnects when the connection is lost, and stops when the server says no.
 *
 * It is one `WebSocket` over many connections:
 *
 * - `open` follows every acknowledgement: of a first message that is `auth_ok`, of a credential in the handshake the
 *   completed handshake. A server that refuses by Close does so after a handshake, so a `close` can follow at once.
 * - `close` follows whenever an open connection is lost; `readyState` is then CONNECTING, for the socket goes on trying.
 *   When it stops for good, the last `close` comes with `readyState` CLOSED, even if the socket was never open.
 * - `error` follows every failed attempt, and every connection that breaks without a Close.
 * - `authenticated`, `reconnecting` and `terminal` are its own. `terminal` says, once, why the socket gave up.
 *   `statechange` follows every change of `readyState` and {@link failure}; `stateOf` makes a store of it.
 *
 * Until the acknowledgement `send()` queues, and what is queued is sent after it, once and in order. What was sent on a
 * connection that was lost is not sent again, with one exception: a server that refuses a credential by Close has heard
 * nothing, so what was sent meanwhile goes out again, first and in order. For that the socket keeps what it sends, within
 * the bounds of the queue, until the connection's first message or until it is stable. The queue is emptied when the
 * socket closes or gives up, when it is {@link reset}, and when the server names another user than before. Only a first
 * message is answered with a user's name, so an application that changes the account resets the socket or makes a new one.
 *
 * So a listener of `open` that sends may be heard twice: after such a refusal its message goes out again, and the listener
 * is called again. Send there what does no harm twice. Send anything else in answer to the server's first message; or, what
 * is for once and not for every connection, without waiting for `open`.
 *
 * It needs the standard `URL`, `Event` and `EventTarget`: Expo has them, and React Native without it needs the `URL` of a polyfill.
 */
export class GuardedSocket extends HandlerTarget implements WebSocket {
  static readonly CONNECTING = CONNECTING
  static readonly OPEN = OPEN
  static readonly CLOSING = CLOSING
  static readonly CLOSED = CLOSED
  readonly CONNECTING = CONNECTING
  readonly OPEN = OPEN
  readonly CLOSING = CLOSING
  readonly CLOSED = CLOSED

  readonly #settings: Settings
  readonly #queue: Queue
  readonly #retry: Retry
  /** Why it is closed. */
  #error: Error | undefined
  #readyState: 0 | 1 | 2 | 3 = CONNECTING
  #failure: Failure | undefined
  #binaryType: 'blob' | 'arraybuffer' | undefined
  #connection: Connection | undefined
  #reason: Reason = 'first'
  #userId: string | undefined
  /** Cancels what is timed: the next attempt, or the end of the time in which a connection is not yet stable. */
  #cancelTimer: (() => void) | undefined

  /**
   * Starts connecting. Throws a `TypeError` for what can never work: plain `ws:` to another host, a user and password in the
   * URL, `header()` in a browser, `subprotocol()` without `protocols`. Where the URL comes from a function, the same is the
   * end of the attempt, and of the socket.
   */
  constructor(url: UrlSource, options: GuardedSocketOptions) {
    super()
    this.#settings = settle(url, options)
    this.#queue = createQueue(options)
    this.#retry = createRetry(options.reconnect, this.#settings.random)
    this.#settings.debug?.(this)
    this.#connect()
  }

  /** The URL it was made with, absolute and without any credential; of a function the newest, and `''` before the first. */
  get url(): string {
    return this.#settings.url?.href ?? ''
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState
  }

  /** The last failure since the socket was made or reset, also when it is open again. */
  get failure(): Failure | undefined {
    return this.#failure
  }

  /** Resolves when the socket is open, at once if it is. Rejects when the socket gives up or is closed. */
  get ready(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.#readyState === OPEN) resolve()
        else if (this.#readyState === CLOSED) reject(this.#error)
        else this.addEventListener('statechange', look, { once: true })
      }
      look()
    })
    // Whoever prints the socket reads it, and does not wait.
    ready.catch(() => {})
    return ready
  }

  get protocol(): string {
    return this.#socket?.protocol ?? ''
  }

  get extensions(): string {
    return this.#socket?.extensions ?? ''
  }

  /** Bytes that wait: for the connection, and in it. */
  get bufferedAmount(): number {
    return this.#queue.bytes + (this.#socket?.bufferedAmount ?? 0)
  }

  /** As on a `WebSocket`, except that until it is set every connection keeps its class's own default (`ws`: a `Buffer`). */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType ?? 'blob'
  }

  set binaryType(type: 'blob' | 'arraybuffer') {
    this.#binaryType = type
    if (this.#socket) this.#socket.binaryType = type
  }

  /**
   * Sends, or queues until the socket is open; after `close()` it does nothing, as on a `WebSocket`. Throws a
   * {@link QueueOverflowError} when the queue is full.
   */
  send(data: Sendable): void {
    if (this.#readyState === CONNECTING) this.#queue.push(data)
    if (this.#readyState === OPEN) {
      this.#socket?.send(data)
      this.#queue.keep(data)
    }
  }

  /**
   * Closes for good: also while waiting for a credential or for the next attempt. Never throws: a code that a browser does
   * not take becomes 1000, and a reason over 123 bytes is cut.
   */
  close(code?: number, reason?: string): void {
    if (this.#readyState >= CLOSING) return
    const wasOpen = this.#readyState === OPEN
    const closure = closeArguments(code, reason)
    this.#readyState = CLOSING
    if (wasOpen) shut(this.#socket, closure)
    else {
      this.#drop(closure)
      queueMicrotask(() => {
        // Unless it was reset meanwhile.
        if (this.#readyState === CLOSING && !this.#connection) this.#finish(closure)
      })
    }
    this.#dispatch('statechange')
  }

  /**
   * Starts anew, for another account or after the socket gave up: forgets what is queued, drops the connection, asks for a
   * credential at once. Nothing that was queued before is ever sent.
   */
  reset(): void {
    const hadConnection = this.#readyState === OPEN || this.#readyState === CLOSING
    this.#drop()
    this.#queue.clear()
    this.#retry.stable()
    this.#userId = undefined
    this.#reason = 'first'
    this.#failure = undefined
    this.#connect()
    if (hadConnection) this.#dispatch('close', closeArguments())
    this.#dispatch('statechange')
  }

  get #socket(): WebSocketLike | undefined {
    return this.#connection?.socket
  }

  #dispatch<K extends keyof GuardedSocketEventMap>(type: K, details?: Details<K>): void {
    // Of a plain `Event`, because Node 20 has no `CloseEvent`, and React Native no `MessageEvent` either.
    this.dispatchEvent(Object.assign(new Event(type), details))
  }

  #connect(): void {
    this.#readyState = CONNECTING
    this.#connection = connect(this.#settings, this.#reason, {
      authenticated: (authentication) => this.#authenticated(authentication),
      message: (data) => {
        this.#queue.settle(true)
        if (this.#readyState === OPEN) this.#dispatch('message', { data, origin: this.#settings.url?.origin ?? '' })
      },
      ended: (ending) => this.#ended(ending),
    })
  }

  #authenticated(authentication: Authentication): void {
    const { userId } = authentication
    if ((this.#userId ?? userId) !== userId) this.#queue.clear()
    this.#userId = userId
    this.#reason = 'reconnect'
    if (this.#binaryType) this.binaryType = this.#binaryType
    this.#cancelTimer = this.#settings.clock.after(this.#retry.stableMs, () => {
      this.#retry.stable()
      this.#queue.settle(true)
    })
    const connection = this.#connection
    // Still CONNECTING: a listener may see who it is and reset the socket before anything queued is sent.
    this.#dispatch('authenticated', authentication)
    if (connection !== this.#connection) return
    this.#readyState = OPEN
    this.#queue.flush((message) => this.#socket?.send(message))
    this.#dispatch('open')
    this.#dispatch('statechange')
  }

  #ended(ending: Ending): void {
    const { outcome, closure } = ending
    const rejected = outcome.kind === 'unauthenticated'
    const wasOpen = this.#readyState === OPEN
    this.#drop()
    if (this.#readyState === CLOSING) {
      this.#finish(closure)
      return
    }
    const error = new SocketError(outcome)
    // biome-ignore lint/suspicious/noConsole: somebody has to repair something, and may not listen.
    if (outcome.kind === 'misconfigured' && !this.#settings.debug) console.warn(error)
    // A credential that is known to be no good stays so until another one was accepted.
    if (rejected) this.#reason = 'rejected'
    else if (outcome.kind === 'expired') this.#reason = outcome.kind
    else if (this.#reason === 'first') this.#reason = 'reconnect'
    // A server refuses a credential only before it has heard anything on the connection.
    this.#queue.settle(!rejected)
    const next = this.#retry.next(ending)
    this.#failure = { outcome, ...next }
    if (next) {
      this.#readyState = CONNECTING
      this.#cancelTimer = this.#settings.lifecycle.after(next.delayMs, () => this.#connect(), outcome)
    } else this.#stop(error)
    this.#dispatch(next ? 'reconnecting' : 'terminal', this.#failure)
    if (!wasOpen || !closure.wasClean) this.#dispatch('error', { error, message: error.message })
    // A listener that has just closed the socket gets the `close` that follows from that.
    if ((wasOpen || !next) && (this.#readyState as number) !== CLOSING) this.#dispatch('close', closure)
    this.#dispatch('statechange')
  }

  /** Ends what the application closed. */
  #finish(closure: Closure): void {
    this.#stop(new Error('Closed'))
    this.#dispatch('close', closure)
    this.#dispatch('statechange')
  }

  #stop(error: Error): void {
    this.#queue.clear()
    this.#readyState = CLOSED
    this.#error = error
  }

  #drop(closure?: Closure): void {
    this.#cancelTimer?.()
    this.#connection?.close(closure)
    this.#connection = undefined
  }
}
