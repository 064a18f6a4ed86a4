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

/**
 * What became of a connection or an attempt.
 *
 * - `unauthenticated`: no credential, or one that was not accepted.
 * - `forbidden`: the credential is good, but not for this.
 * - `expired`: the credential of a live connection came to its end.
 * - `revoked`: logged out or banned.
 * - `replaced`: a newer connection took this one's place, or there are too many of them.
 * - `limited`: too many attempts.
 * - `unavailable`: the server, the ticket endpoint or the credential function could not do its part; says nothing of the
 *   credential, and passes.
 * - `network`: no answer, or the connection broke.
 * - `misconfigured`: the two ends do not fit together, and trying again would not mend it: a route that is not there, a
 *   redirect to a login page, a page in place of a ticket, a message that the server does not take, a `TypeError` in the
 *   credential function. `status`, `code` and `cause` say which.
 * - `closed`: the server closed with a code that is the application's own; `code` says which.
 */
export type Kind =
  | 'unauthenticated'
  | 'forbidden'
  | 'expired'
  | 'revoked'
  | 'replaced'
  | 'limited'
  | 'unavailable'
  | 'network'
  | 'misconfigured'
  | 'closed'

/** What an outcome says to the client. */
export interface Meaning {
  readonly kind: Kind
  /** The client's one action. */
  readonly action: Action
}

/** The same outcome over HTTP, as a WebSocket close, and as advice to the client. */
export interface OutcomeCode extends Meaning {
  /** HTTP status before the upgrade; absent where the outcome exists only on a live connection. */
  readonly status?: number
  /** WebSocket close code after the upgrade (RFC 6455 section 7.4); absent where the outcome exists only over HTTP. */
  readonly close?: number
}

/**
 * Every outcome of a connection with its kind and client action, HTTP status and close code. Close codes of our own are
 * 4000 plus the last two digits of the HTTP status that says the same.
 */
export const outcomes = [
  /** No credential, or a bad one. One answer for all causes. */
  { kind: 'unauthenticated', action: 'retry-once', status: 401, close: 4001 },
  /** No credential in time. */
  { kind: 'unauthenticated', action: 'retry-once', status: 408, close: 4001 },
  /** Origin, audience, path, or an identity swap. */
  { kind: 'forbidden', action: 'stop', status: 403, close: 4003 },
  /** Replaced by a newer connection, or over the user's connection limit. */
  { kind: 'replaced', action: 'stop', status: 409, close: 4009 },
  /** Logged out or banned. */
  { kind: 'revoked', action: 'stop', close: 4010 },
  /** The credential of a live connection expired. */
  { kind: 'expired', action: 'reconnect', close: 4019 },
  /** Too many attempts, tickets or pending sockets. */
  { kind: 'limited', action: 'wait', status: 429, close: 4029 },
  /** A dependency is down; says nothing of the credential. */
  { kind: 'unavailable', action: 'back-off', status: 503, close: 1013 },
  /** This node restarts or drains. */
  { kind: 'unavailable', action: 'jitter', status: 503, close: 1012 },
  /** This node goes away. */
  { kind: 'unavailable', action: 'jitter', status: 503, close: 1001 },
  /** A failure of ours. */
  { kind: 'unavailable', action: 'back-off', status: 500, close: 1011 },
  /** A malformed handshake or frame. */
  { kind: 'misconfigured', action: 'stop', status: 400, close: 1008 },
  /** A credential over the limit, or more than one needs before it was accepted (RFC 6585 section 5). */
  { kind: 'misconfigured', action: 'stop', status: 431, close: 1009 },
  /** Not on the wire: the connection broke (RFC 6455 section 7.1.5). */
  { kind: 'network', action: 'back-off', close: 1006 },
] as const satisfies readonly OutcomeCode[]

/** Nothing in the table, and the next time it would be the same. */
export const misconfigured: Meaning = { kind: 'misconfigured', action: 'stop' }

/** Nothing in the table, but it passes. */
export const unavailable: Meaning = { kind: 'unavailable', action: 'back-off' }

/**
 * What a close code says to the client, also one that it has never seen: other 4000–4499 back off, 4500–4999 stop, anything
 * else backs off.
 */
export function outcomeOfClose(close: number): OutcomeCode {
  const action = close >= 4500 && close <= 4999 ? 'stop' : 'back-off'
  return outcomes.find((row: OutcomeCode) => row.close === close) ?? { kind: 'closed', action }
}

/**
 * What an HTTP status says to the client that is not what it asked for: other 5xx back off. Everything else stops, a
 * redirect or a page too, because the same question gets the same answer.
 */
export function outcomeOfStatus(status: number): OutcomeCode {
  return outcomes.find((row: OutcomeCode) => row.status === status) ?? (status < 500 ? misconfigured : unavailable)
}
