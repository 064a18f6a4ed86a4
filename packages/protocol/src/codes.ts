import { type OutcomeCode, outcomes } from './outcomes.js'

/** One row of the table: what the server says, and how. */
export interface Code extends Omit<OutcomeCode, 'kind'> {
  /** Close reason and HTTP body text: constant, never built from input, at most 123 bytes (RFC 6455 section 5.5). */
  readonly reason: string
}

/** The outcome with that close code, or with that status where two have the same close code. */
const outcome = <K extends 'close' | 'status', V extends number>(key: K, value: V) =>
  outcomes.find((row: OutcomeCode) => row[key] === value) as Extract<(typeof outcomes)[number], Record<K, V>>

/** All codes: the outcomes of a connection, and what is said over HTTP alone. */
export const codes = {
  unauthenticated: { ...outcome('status', 401), reason: 'Authentication failed' },
  timeout: { ...outcome('status', 408), reason: 'Authentication timeout' },
  forbidden: { ...outcome('close', 4003), reason: 'Forbidden' },
  replaced: { ...outcome('close', 4009), reason: 'Replaced' },
  revoked: { ...outcome('close', 4010), reason: 'Revoked' },
  expired: { ...outcome('close', 4019), reason: 'Credential expired' },
  limited: { ...outcome('close', 4029), reason: 'Too many attempts' },
  unavailable: { ...outcome('close', 1013), reason: 'Temporarily unavailable' },
  restart: { ...outcome('close', 1012), reason: 'Service restart' },
  goingAway: { ...outcome('close', 1001), reason: 'Going away' },
  badRequest: { ...outcome('close', 1008), reason: 'Bad request' },
  credentialTooLarge: { ...outcome('close', 1009), reason: 'Credential too large' },
  internal: { ...outcome('close', 1011), reason: 'Internal error' },
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
