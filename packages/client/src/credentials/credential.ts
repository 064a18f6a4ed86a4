import type { ServerFrame } from '@sallyport/protocol'
import type { WebSocketConstructor, WebSocketLike } from '../web-socket-like.js'

/** Why a credential is asked for. */
export type Reason = 'first' | 'reconnect' | 'rejected' | 'expired' | 'renewal'

/** What a credential function learns of the attempt it is called for. */
export interface Attempt {
  /**
   * `first`: the socket is new or was reset, or is the first of its `webSocketClass`. `reconnect`: the connection was lost,
   * or the last attempt failed. `rejected`: the last credential was not accepted. `expired`: it came to its end on a live
   * connection. `renewal`: it is about to. With these three the last credential is no good any more: do not answer from a
   * cache.
   */
  readonly reason: Reason
  /** Aborted when the answer is no longer wanted: the deadline has passed, or the socket was closed or reset. */
  readonly signal: AbortSignal
  /** Set by `shared()`: whether another tab was asked just before, and may have stored a newer token. */
  readonly refreshedElsewhere?: boolean
}

/**
 * The application's function that hands out a token. It is called once for every attempt, and its answer is never kept.
 * No token (`''`, `null`, `undefined`) means that nobody is logged in: the socket asks once more and then stops as
 * `unauthenticated`. What it throws is a passing failure, and the socket backs off, with two exceptions: a
 * {@link CredentialError} with a status says what it is, and a mistake in the code, a `TypeError` or a `ReferenceError` of
 * the engine, stops the socket as `misconfigured`.
 */
export type TokenSource = (
  attempt: Attempt,
) => string | null | undefined | Promise<string> | Promise<string | null | undefined>

/** What a credential is presented to: fixed when the socket is made, all but a URL that comes from a function. */
export interface Target {
  /** The socket's URL, `ws:` or `wss:`, without any credential. */
  readonly url: URL
  /** The application's subprotocols. */
  readonly protocols: readonly string[]
  readonly WebSocket: WebSocketConstructor
  readonly fetch: typeof fetch
  /** A random number from 0 up to, but not, 1. */
  readonly random: () => number
  readonly dangerouslyAllowPlaintext: boolean
}

/** What is known of an authenticated connection. Everything is absent unless the server sent `auth_ok`. */
export interface Authentication {
  readonly userId?: string
  /** Names the connection for `POST {path}/renew`. */
  readonly connection?: string
  /** Seconds the credential still lives, by the server's clock; absent also when it has no end. */
  readonly expiresIn?: number
}

/** The frames of one connection: what is said before it counts as open, and how it is renewed. */
export interface Dialogue {
  /** The first message. */
  readonly opening: string
  /**
   * Hears a message; `false`: it is the application's. Calls `accept` when the server has accepted. At `auth_fail` it waits: the
   * Close that follows says all.
   */
  hear(data: unknown, accept: (authentication: Authentication) => void): boolean
  /** Writes a frame that presents a newer credential. */
  renewal(token: string): string
  /** Set by whoever renews, which hears what the server says from then on. */
  onframe?: (frame: ServerFrame) => void
}

/** How one credential goes on the wire; nothing for a cookie, which the browser sends by itself. */
export interface Presentation {
  /** A query parameter: name and value. */
  readonly query?: readonly [name: string, value: string]
  /** A dialogue after the handshake; absent: the handshake alone is the acknowledgement. */
  readonly dialogue?: Dialogue
  /** Makes the WebSocket, where it needs more than the URL and the application's subprotocols. */
  dial?(url: string, protocols: string[]): WebSocketLike
}

/**
 * A way of presenting a credential: {@link ticket}, {@link header} and the others make one. It is called with the target
 * when the socket is made, unless the URL comes from a function, and throws there what can never work. It is called again
 * for every attempt, and what it then returns is called once.
 */
export type Credential = (target: Target) => (attempt: Attempt) => Presentation | Promise<Presentation>

/**
 * No credential can be had. Throw it from a credential function to say why: `status` stands for the HTTP status that says
 * the same, so 401 stops after one retry, 403 stops at once, 503 backs off. Without a status: the network failed.
 */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
  declare readonly status: number | undefined
  /** Seconds to wait. */
  declare readonly retryAfter: number | undefined

  constructor(message: string, options: { status?: number; retryAfter?: number | undefined; cause?: unknown } = {}) {
    super(message, options)
    this.status = options.status
    this.retryAfter = options.retryAfter
  }
}

/** Calls `source` for a token. Throws a {@link CredentialError} of status 401 unless it is printable ASCII without spaces. */
export async function ask(source: TokenSource, attempt: Attempt): Promise<string> {
  const token: unknown = await source(attempt)
  // Anything else fits into no header, and the runtime's own error would quote it.
  if (isCredential(token)) return token
  throw new CredentialError('No credential', { status: 401 })
}

/** Refuses what is not a function, for callers without types; `name` says what it is asked for. */
export function requireFunction(source: unknown, name = 'function'): void {
  if (typeof source !== 'function') throw new TypeError(`Pass a ${name}`)
}

/** Printable ASCII without spaces. */
export function isCredential(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]+$/.test(value)
}
