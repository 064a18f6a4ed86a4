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

/** The same outcome over HTTP, as a WebSocket close, and as advice to the client. */
export interface OutcomeCode {
  /** HTTP status before the upgrade; absent where the outcome exists only on a live connection. */
  readonly status?: number
  /** WebSocket close code after the upgrade (RFC 6455 section 7.4); absent where the outcome exists only over HTTP. */
  readonly close?: number
  /** The client's one action. */
  readonly action: Action
}

/**
 * Every outcome of a connection with its HTTP status, close code and client action. Close codes of our own are
 * 4000 plus the last two digits of the HTTP status that says the same.
 */
export const outcomes = {
  /** No credential, or a bad one. One answer for all causes. */
  unauthenticated: { status: 401, close: 4001, action: 'retry-once' },
  /** No credential in time. */
  timeout: { status: 408, close: 4001, action: 'retry-once' },
  /** Origin, audience, path, or an identity swap. */
  forbidden: { status: 403, close: 4003, action: 'stop' },
  /** Replaced by a newer connection, or over the user's connection limit. */
  replaced: { status: 409, close: 4009, action: 'stop' },
  /** Logged out or banned. */
  revoked: { close: 4010, action: 'stop' },
  /** The credential of a live connection expired. */
  expired: { close: 4019, action: 'reconnect' },
  /** Too many attempts, tickets or pending sockets. */
  limited: { status: 429, close: 4029, action: 'wait' },
  /** A dependency is down; says nothing of the credential. */
  unavailable: { status: 503, close: 1013, action: 'back-off' },
  /** This node restarts or drains. */
  restart: { status: 503, close: 1012, action: 'jitter' },
  /** This node goes away. */
  goingAway: { status: 503, close: 1001, action: 'jitter' },
  /** A malformed handshake or frame. */
  badRequest: { status: 400, close: 1008, action: 'stop' },
  /** A credential over the limit, or more than one needs before it was accepted (RFC 6585 section 5). */
  credentialTooLarge: { status: 431, close: 1009, action: 'stop' },
  /** A failure of ours. */
  internal: { status: 500, close: 1011, action: 'back-off' },
} as const satisfies Record<string, OutcomeCode>

const rows = Object.entries<OutcomeCode>(outcomes)

/** The first outcome with that close code or HTTP status, by its name. */
export const findOutcome = (key: 'close' | 'status', value: number): [name: string, code: OutcomeCode] | undefined =>
  rows.find(([, code]) => code[key] === value)

/**
 * The client's action for a close code, also for codes it has never seen: other 4000–4499 back off, 4500–4999 stop,
 * anything else (1006 and the rest) backs off.
 */
export function actionForClose(close: number): Action {
  return findOutcome('close', close)?.[1].action ?? (close >= 4500 && close <= 4999 ? 'stop' : 'back-off')
}

/**
 * The client's action for an HTTP status that is not what it asked for: other 5xx back off. Everything else stops, a
 * redirect or a page too, because the same question gets the same answer.
 */
export function actionForStatus(status: number): Action {
  return findOutcome('status', status)?.[1].action ?? (status < 500 ? 'stop' : 'back-off')
}
