import {
  type Action,
  type Kind,
  type Meaning,
  misconfigured,
  outcomeOfClose,
  outcomeOfStatus,
  unavailable,
} from '@sallyport/protocol'
import { CredentialError } from './credentials/credential.js'

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
  declare readonly outcome: Outcome

  constructor(outcome: Outcome) {
    super(`Sallyport: ${outcome.kind}`, outcome)
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

/** There was no Close. */
export const broken: Closure = { code: 1006, reason: '', wasClean: false }

const end = ({ kind, action }: Meaning, details: Omit<Outcome, 'kind'>, closure = broken): Ending => ({
  outcome: { kind, ...details },
  action,
  closure,
})

/** The server closed, or the connection broke. */
export const closed = ({ code, reason, wasClean }: Closure): Ending =>
  end(outcomeOfClose(code), { code }, { code, reason, wasClean })

/**
 * There was no answer, or, where the runtime `hides` it, maybe one that it does not show. What the system says in `error` is
 * the truth.
 */
export function unreachable(hides: boolean, error?: unknown, cause?: unknown): Ending {
  const system = systemCode(error)
  return end(outcomeOfClose(broken.code), { ...(system ? { system } : hides && { ambiguous: true }), cause })
}

/** An error of the system. */
interface Coded extends Error {
  readonly code?: string
}

/** The code in an error or in its cause: there is one outside a browser alone, where an error has a number at most. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return typeof (error as Coded).code === 'string' ? (error as Coded).code : systemCode(error.cause)
}

/** The ticket endpoint or the refused upgrade answered with `status`. The application gets the close code that says the same. */
export function answered(status: number, retryAfter?: number, cause?: unknown): Ending {
  const outcome = outcomeOfStatus(status)
  return end(outcome, { status, retryAfter, cause }, { ...broken, code: outcome.close ?? broken.code })
}

/** Something on this side of the network failed, or this is the wrong peer. */
export const unusable = (cause: unknown, meaning = misconfigured): Ending => end(meaning, { cause })

/** What the engines say of a mistake. A `fetch` that finds no network throws a `TypeError` as well, and says otherwise. */
const mistake = / is not |undefined|null/

/** The credential function failed. */
export function withoutCredential(error: unknown): Ending {
  const isType = error instanceof TypeError
  const isOurs = error instanceof CredentialError
  if (isOurs && error.status) return answered(error.status, error.retryAfter, error)
  if (isOurs || (isType && !mistake.test(error.message))) return unreachable(true, error, error)
  return unusable(error, isType || error instanceof ReferenceError ? misconfigured : unavailable)
}
