import { type Action, actionForClose, actionForStatus, findOutcome } from '@sallyport/protocol'
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

/** One typed outcome, for every way in which a connection or an attempt can end. */
export interface Outcome {
  readonly kind: Kind
  /**
   * Present where the runtime hides the truth: a browser and the `WebSocket` of Node.js itself show a refused upgrade, a
   * refused preflight and a dead network alike. Never guessed as a failure of authentication.
   */
  readonly ambiguous?: true
  /** The WebSocket close code, where there was a Close or a broken connection. */
  readonly code?: number
  /**
   * The HTTP status of the ticket endpoint or of the refused upgrade, where it can be read. 302 stands for any redirect in a
   * browser, which does not tell.
   */
  readonly status?: number
  /** Seconds the server asked to wait (`Retry-After`). */
  readonly retryAfter?: number | undefined
  /** What the system says of the network, such as `ECONNREFUSED`, where the runtime tells. */
  readonly system?: string
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

/** From 4000 on a code has the name of its kind. The others say nothing of the credential, and either pass or do not. */
function kindOf(close: number, action: Action): Kind {
  if (close >= 4000) return findOutcome('close', close)?.[0] as Kind
  return action === 'stop' ? 'misconfigured' : 'unavailable'
}

const end = (action: Action, outcome: Outcome, closure = broken): Ending => ({ outcome, action, closure })

/** The server closed, or the connection broke. */
export function closed({ code, reason, wasClean }: Closure): Ending {
  const action = actionForClose(code)
  const known = findOutcome('close', code) ? kindOf(code, action) : 'closed'
  // 1006 is the runtime's own word for a connection that ended without a Close.
  return end(action, { kind: code === 1006 ? 'network' : known, code }, { code, reason, wasClean })
}

/**
 * There was no answer, or, where the runtime `hides` it, maybe one that it does not show. What the system says in `error` is
 * the truth.
 */
export function unreachable(hides: boolean, cause?: unknown, error = cause): Ending {
  const system = systemCode(error)
  return end('back-off', { kind: 'network', ...(system ? { system } : hides && { ambiguous: true }), cause })
}

/** The code in an error or in its cause: there is one outside a browser alone. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : systemCode(error.cause)
}

/** The ticket endpoint or the refused upgrade answered with `status`. The application gets the close code that says the same. */
export function answered(status: number, retryAfter?: number, cause?: unknown): Ending {
  const action = actionForStatus(status)
  const { close = 0 } = findOutcome('status', status)?.[1] ?? {}
  const outcome = { kind: kindOf(close, action), status, retryAfter, cause }
  return end(action, outcome, { ...broken, code: close || broken.code })
}

/** Something on this side of the network failed, or this is the wrong peer. */
export const unusable = (action: 'back-off' | 'stop', cause: unknown): Ending =>
  end(action, { kind: kindOf(0, action), cause })

/** What the engines say of a mistake. A `fetch` that finds no network throws a `TypeError` as well, and says otherwise. */
const mistake = / is not |undefined|null/

/** The credential function failed. */
export function withoutCredential(error: unknown): Ending {
  if (error instanceof CredentialError && error.status) return answered(error.status, error.retryAfter, error)
  const isType = error instanceof TypeError
  if (error instanceof ReferenceError || (isType && mistake.test(error.message))) return unusable('stop', error)
  if (error instanceof CredentialError || isType) return unreachable(true, error)
  return unusable('back-off', error)
}
