import type { CodeName } from '@sallyport/protocol'

/**
 * Why a handshake was refused, and the code that says so: stable names for events, logs and metrics. A client sees the
 * code, and what is wrong with the form of its request; all causes of a bad credential look the same.
 */
export const reasons = {
  // The handshake itself.
  'handshake-headers': 'badRequest',
  'handshake-repeated': 'badRequest',
  'handshake-version': 'badRequest',
  'handshake-target': 'badRequest',
  'handshake-host': 'badRequest',
  'handshake-body': 'badRequest',
  'handshake-key': 'badRequest',
  'handshake-protocols': 'badRequest',
  'handshake-pipelined': 'badRequest',
  'method-not-allowed': 'methodNotAllowed',
  'not-a-websocket': 'upgradeRequired',
  'path-unknown': 'notFound',
  'origin-missing': 'forbidden',
  'origin-not-allowed': 'forbidden',
  'fetch-metadata': 'forbidden',
  // How the credential came.
  'credential-absent': 'unauthenticated',
  'credential-malformed': 'badRequest',
  'credentials-conflict': 'badRequest',
  'credential-too-large': 'credentialTooLarge',
  'message-late': 'timeout',
  'messages-too-many': 'limited',
  // What the verifier said.
  'credential-placeholder': 'unauthenticated',
  'credential-unreadable': 'unauthenticated',
  'credential-unknown': 'unauthenticated',
  'credential-expired': 'unauthenticated',
  'credential-not-yet-valid': 'unauthenticated',
  'credential-lifetime': 'unauthenticated',
  'credential-revoked': 'unauthenticated',
  'token-algorithm': 'unauthenticated',
  'token-key': 'unauthenticated',
  'token-signature': 'unauthenticated',
  'token-type': 'unauthenticated',
  'token-issuer': 'unauthenticated',
  'token-audience': 'unauthenticated',
  'token-claims': 'unauthenticated',
  'ticket-binding': 'forbidden',
  // What the application said of who it is.
  'not-admitted': 'forbidden',
  // Renewal.
  'body-malformed': 'badRequest',
  'body-too-large': 'tooLarge',
  'body-late': 'timeout',
  'body-gone': 'internal',
  'connection-unknown': 'notFound',
  'identity-changed': 'forbidden',
  // Whom we could not ask, and what went wrong.
  pending: 'limited',
  attempts: 'limited',
  draining: 'restart',
  'ticket-limit': 'limited',
  'renewal-limit': 'limited',
  'connection-limit': 'replaced',
  'dependency-unavailable': 'unavailable',
  'internal-error': 'internal',
} as const satisfies Record<string, CodeName>

/** Why a handshake was refused. */
export type Reason = keyof typeof reasons

/** The reasons that a verifier may give. */
export type VerificationFailure = Extract<Reason, `credential-${string}` | `token-${string}` | 'ticket-binding'>

/** Whether a verifier may give it. */
export const isVerificationFailure = (reason: unknown): reason is VerificationFailure =>
  typeof reason === 'string' && Object.hasOwn(reasons, reason) && /^(?:credential-|token-|ticket-binding)/.test(reason)
