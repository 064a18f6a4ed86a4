import { type OutcomeCode, outcomes } from './outcomes.js'

/** One row of the table: an outcome, and how the server says it. */
export interface Code extends OutcomeCode {
  /** Close reason and HTTP body text: constant, never built from input, at most 123 bytes (RFC 6455 section 5.5). */
  readonly reason: string
}

/** All codes: the outcomes of a connection, and what is said over HTTP alone. */
export const codes = {
  unauthenticated: { ...outcomes.unauthenticated, reason: 'Authentication failed' },
  timeout: { ...outcomes.timeout, reason: 'Authentication timeout' },
  forbidden: { ...outcomes.forbidden, reason: 'Forbidden' },
  replaced: { ...outcomes.replaced, reason: 'Replaced' },
  revoked: { ...outcomes.revoked, reason: 'Revoked' },
  expired: { ...outcomes.expired, reason: 'Credential expired' },
  limited: { ...outcomes.limited, reason: 'Too many attempts' },
  unavailable: { ...outcomes.unavailable, reason: 'Temporarily unavailable' },
  restart: { ...outcomes.restart, reason: 'Service restart' },
  goingAway: { ...outcomes.goingAway, reason: 'Going away' },
  badRequest: { ...outcomes.badRequest, reason: 'Bad request' },
  credentialTooLarge: { ...outcomes.credentialTooLarge, reason: 'Credential too large' },
  internal: { ...outcomes.internal, reason: 'Internal error' },
  /** A body over the limit. */
  tooLarge: { status: 413, reason: 'Body too large', action: 'stop' },
  /** No such route. */
  notFound: { status: 404, reason: 'Not found', action: 'stop' },
  /** Another HTTP method is needed; see `Allow`. */
  methodNotAllowed: { status: 405, reason: 'Method not allowed', action: 'stop' },
  /** Not a WebSocket handshake of version 13 (RFC 6455 section 4.4). */
  upgradeRequired: { status: 426, reason: 'Upgrade required', action: 'stop' },
} as const satisfies Record<string, Code>

/** The name of a row in {@link codes}. */
export type CodeName = keyof typeof codes
