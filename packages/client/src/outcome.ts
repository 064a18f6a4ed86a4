import { type Action, actionForClose, actionForStatus, type Code, type CodeName, codes } from '@sallyport/protocol'
import { CredentialError } from './credentials/credential.js'

/**
 * What became of a connection or an attempt.
 *
 * - `unauthenticated`: no credential, or one that was not accepted.
 * - `forbidden`: the credential is good, but not for this.
 * - `expired`: the credential of a live connection came to its end.
 * - `revoked`: logged out or banned.
 * - `replaced`: a newer connection took this one's place, or there are too many of them.
 * - `limited`: too many attempts.
 * - `unavailable`: the server, the ticket endpoint or the credential function could not do its part, or speaks otherwise
 *   than this client; says nothing of the credential.
 * - `network`: no answer, or the connection broke.
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

/** One typed outcome, for every way in which a connection or an attempt can end. */
export interface Outcome {
  readonly kind: Kind
  /**
   * Present where the runtime hides the truth: a browser shows a refused upgrade, a refused preflight and a dead network
   * alike. Never guessed as a failure of authentication.
   */
  readonly ambiguous?: true
  /** The WebSocket close code, where there was a Close or a broken connection. */
  readonly code?: number
  /** The HTTP status of the ticket endpoint or of the refused upgrade, where it can be read. */
  readonly status?: number
  /** Seconds the server asked to wait (`Retry-After`). */
  readonly retryAfter?: number | undefined
  /** What the credential function threw, or what is wrong with the peer. */
  readonly cause?: unknown
}

/** The error in `error` events, and what `ready` rejects with when the socket gives up. Holds no credential. */
export class SocketError extends Error {
  override readonly name = 'SocketError'
  readonly outcome: Outcome

  constructor(outcome: Outcome) {
    super(`Connection failed: ${outcome.kind}`, { cause: outcome.cause })
    this.outcome = outcome
  }
}

/** What the application reads in a `close` event. */
export interface Closure {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/** How an attempt or a connection ended: for the application, and for the decision what to do next. */
export interface Ending {
  readonly outcome: Outcome
  readonly action: Action
  readonly closure: Closure
}

const broken: Closure = { code: 1006, reason: '', wasClean: false }

/** The rows of the table that are a kind of their own; every other is `unavailable`. */
const kinds = ['unauthenticated', 'forbidden', 'replaced', 'revoked', 'expired', 'limited'] satisfies (Kind &
  CodeName)[]

const kindOf = (close: number | undefined): Kind => kinds.find((kind) => codes[kind].close === close) ?? 'unavailable'

/** The server closed, or the connection broke. */
export function closed({ code, reason, wasClean }: Closure): Ending {
  // 1006 is the runtime's own word for a connection that ended without a Close.
  return {
    outcome: { kind: code === 1006 ? 'network' : kindOf(code), code },
    action: actionForClose(code),
    closure: { code, reason, wasClean },
  }
}

/** There was no answer, or, if `ambiguous`, maybe one that the runtime does not show. */
export function unreachable(ambiguous: boolean, cause?: unknown): Ending {
  return { outcome: { kind: 'network', ...(ambiguous && { ambiguous }), cause }, action: 'back-off', closure: broken }
}

/** The ticket endpoint or the refused upgrade answered with `status`. The application gets the close code that says the same. */
export function answered(status: number, retryAfter?: number, cause?: unknown): Ending {
  const row: Code | undefined = Object.values<Code>(codes).find((code) => code.status === status)
  return {
    outcome: { kind: kindOf(row?.close), status, retryAfter, cause },
    action: actionForStatus(status),
    closure: row?.close ? { code: row.close, reason: row.reason, wasClean: false } : broken,
  }
}

/** Something on this side of the network failed, or this is the wrong peer. */
export function unusable(action: 'back-off' | 'stop', cause: unknown): Ending {
  return { outcome: { kind: 'unavailable', cause }, action, closure: broken }
}

/** The credential function failed. */
export function withoutCredential(error: unknown): Ending {
  if (!(error instanceof CredentialError)) return unusable('back-off', error)
  return error.status ? answered(error.status, error.retryAfter, error) : unreachable(true, error)
}
