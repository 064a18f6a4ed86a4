/**
 * What a client does about an outcome. Exactly one action belongs to every code.
 *
 * - `retry-once`: ask for a new credential, try once more, then stop.
 * - `reconnect`: ask for a new credential and reconnect at once.
 * - `jitter`: reconnect after a random delay, so that a restart is no stampede.
 * - `back-off`: reconnect after a growing random delay.
 * - `wait`: reconnect when the server says (`Retry-After`), or else back off.
 * - `stop`: do not reconnect; tell the application.
 */
export type Action = 'retry-once' | 'reconnect' | 'jitter' | 'back-off' | 'wait' | 'stop'

/** One row of the table: the same outcome over HTTP, as a WebSocket close, and as advice to the client. */
export interface Code {
  /** HTTP status before the upgrade; absent where the outcome exists only on a live connection. */
  readonly status?: number
  /** WebSocket close code after the upgrade (RFC 6455 section 7.4); absent where the outcome exists only over HTTP. */
  readonly close?: number
  /** Close reason and HTTP body text: constant, never built from input, at most 123 bytes (RFC 6455 section 5.5). */
  readonly reason: string
  /** The client's one action. */
  readonly action: Action
}

/**
 * Every outcome with its HTTP status, close code, reason and client action: the only place where they are written.
 * Close codes of our own are 4000 plus the last two digits of the HTTP status that says the same.
 */
export const codes = {
  /** No credential, or a bad one. One answer for all causes. */
  unauthenticated: { status: 401, close: 4001, reason: 'Authentication failed', action: 'retry-once' },
  /** No credential in time. */
  timeout: { status: 408, close: 4001, reason: 'Authentication timeout', action: 'retry-once' },
  /** Origin, audience, path, or an identity swap. */
  forbidden: { status: 403, close: 4003, reason: 'Forbidden', action: 'stop' },
  /** Replaced by a newer connection, or over the user's connection limit. */
  replaced: { status: 409, close: 4009, reason: 'Replaced', action: 'stop' },
  /** Logged out or banned. */
  revoked: { close: 4010, reason: 'Revoked', action: 'stop' },
  /** The credential of a live connection expired. */
  expired: { close: 4019, reason: 'Credential expired', action: 'reconnect' },
  /** Too many attempts, tickets or pending sockets. */
  limited: { status: 429, close: 4029, reason: 'Too many attempts', action: 'wait' },
  /** A dependency is down; says nothing of the credential. */
  unavailable: { status: 503, close: 1013, reason: 'Temporarily unavailable', action: 'back-off' },
  /** This node restarts or drains. */
  restart: { status: 503, close: 1012, reason: 'Service restart', action: 'jitter' },
  /** This node goes away. */
  goingAway: { status: 503, close: 1001, reason: 'Going away', action: 'jitter' },
  /** A malformed handshake or frame. */
  badRequest: { status: 400, close: 1008, reason: 'Bad request', action: 'stop' },
  /** A credential over the limit, or more than one needs before it was accepted (RFC 6585 section 5). */
  credentialTooLarge: { status: 431, close: 1009, reason: 'Credential too large', action: 'stop' },
  /** A body over the limit. */
  tooLarge: { status: 413, reason: 'Body too large', action: 'stop' },
  /** A failure of ours. */
  internal: { status: 500, close: 1011, reason: 'Internal error', action: 'back-off' },
  /** No such route. */
  notFound: { status: 404, reason: 'Not found', action: 'stop' },
  /** Another HTTP method is needed; see `Allow`. */
  methodNotAllowed: { status: 405, reason: 'Method not allowed', action: 'stop' },
  /** Not a WebSocket handshake of version 13 (RFC 6455 section 4.4). */
  upgradeRequired: { status: 426, reason: 'Upgrade required', action: 'stop' },
} as const satisfies Record<string, Code>

/** The name of a row in {@link codes}. */
export type CodeName = keyof typeof codes

const registered: readonly Code[] = Object.values(codes)

/**
 * The client's action for a close code, also for codes it has never seen: other 4000–4499 back off, 4500–4999 stop,
 * anything else (1006 and the rest) backs off.
 */
export function actionForClose(close: number): Action {
  const row = registered.find((code) => code.close === close)
  if (row) return row.action
  return close >= 4500 && close <= 4999 ? 'stop' : 'back-off'
}

/** The client's action for an HTTP status that is not a success: other 4xx stop, everything else backs off. */
export function actionForStatus(status: number): Action {
  const row = registered.find((code) => code.status === status)
  if (row) return row.action
  return status >= 400 && status <= 499 ? 'stop' : 'back-off'
}
