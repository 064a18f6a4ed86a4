import type { CodeName } from '@sallyport/protocol'
import type { Handshake } from './handshake/request.js'
import type { Identity } from './identity.js'
import { type Reason, reasons } from './refusals/reasons.js'
import { UnavailableError } from './support/errors.js'
import type { Rejected, Vouched } from './verifiers/verifier.js'

/** The names of the methods. */
export type MethodName = 'ticket' | 'query' | 'header' | 'cookie' | 'subprotocol' | 'message'

/** The guard lets it in. */
export interface Accept<I extends Identity = Identity> extends Vouched<I> {
  readonly type: 'accept'
  /** How the credential came. */
  readonly method: MethodName
  /** The application's subprotocol to select; absent: select none. */
  readonly protocol?: string | undefined
  /** Its place among the connections of its identity, where they are limited: the id of the connection that comes of it. */
  readonly lease?: string
  /** Asks about its credential again, which it holds: there only where connections are rechecked and it was looked up. */
  readonly recheck?: Recheck<I> | undefined
  /** Whether another node was shown a newer credential than the one that `recheck` asks about. */
  readonly renewedElsewhere?: boolean
}

/**
 * Asks about a credential again: what it stands for now, or why it is bad. Throws what a verifier throws. `handshake` is
 * what the verifier gets to see.
 */
export type Recheck<I extends Identity> = (handshake: Handshake) => Answer<I> | Promise<Answer<I>>

/** What the guard makes of a credential that was verified. */
export type Answer<I extends Identity> = Accept<I> | Rejected

/** The guard waits for the first message. */
export interface Await {
  readonly type: 'await'
  /** How long it waits from the 101 on, in milliseconds. */
  readonly timeout: number
  /** How many bytes the client may send before it is accepted. */
  readonly maxBytes: number
  /** As in {@link Accept}. */
  readonly protocol?: string | undefined
}

/** The guard refuses. */
export interface Refuse {
  readonly type: 'refuse'
  /** Why: for events, never told to a client. */
  readonly reason: Reason
  /** The row of the codes table that the client gets. */
  readonly code: CodeName
  /** What came and what was expected, where somebody said so: for events, never told to a client. */
  readonly detail?: string | undefined
  /** `status`: an HTTP response, no 101. `close`: accept, then Close at once, so that a browser can read the code. */
  readonly by: 'status' | 'close'
  /** As in {@link Accept}. */
  readonly protocol?: string | undefined
  /** What was thrown, where that was the cause: for events, never told to a client. */
  readonly error?: unknown
}

/** The guard's decision. */
export type Verdict<I extends Identity = Identity> = Accept<I> | Await | Refuse

/** Refuses with an HTTP status. */
export function refuse(reason: Reason, detail?: string): Refuse {
  return { type: 'refuse', reason, code: reasons[reason], by: 'status', ...(detail !== undefined && { detail }) }
}

/** Refuses because of what was thrown. A broken dependency is not a bad credential, and neither is a bug. */
export function failed(error: unknown): Refuse {
  return { ...refuse(error instanceof UnavailableError ? 'dependency-unavailable' : 'internal-error'), error }
}
