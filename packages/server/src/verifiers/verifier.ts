import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { VerificationFailure } from '../refusals/reasons.js'

/** Whom an issuer means. */
export type Subject = Pick<Identity, 'id' | 'issuer'>

/** What a good credential says. */
export interface Verified<I extends Identity = Identity> {
  /** Whose it is. */
  readonly identity: I
  /**
   * Who it is in the words of the issuer, where `identity` is in those of the application: what a back-channel logout
   * names. Absent: as `identity` says.
   */
  readonly subject?: Subject | undefined
  /** When the credential ends, in milliseconds since the epoch. Absent: it has no end of its own. */
  readonly expiresAt?: number | undefined
  /** When the credential was issued, in milliseconds since the epoch. */
  readonly issuedAt?: number | undefined
  /**
   * When this was looked up at its source, in milliseconds since the epoch by the guard's clock. Absent: it was read out of
   * the credential itself, which then must not live longer than revocations are remembered (`life.revocationMemory`).
   * What tells no `issuedAt` either is taken to be looked up now.
   */
  readonly lookedUpAt?: number | undefined
  /**
   * When a credential that was read before was first seen, in milliseconds since the epoch by the guard's clock. A clock
   * that is ahead may have written a later `issuedAt`.
   */
  readonly firstSeenAt?: number | undefined
  /** The parent login: `sid`, the session, or the token's `jti`. Never a credential itself. */
  readonly session?: string | undefined
  /** The token's own id (`jti`, RFC 7519 section 4.1.7). */
  readonly token?: string | undefined
}

/** What was vouched for, and when. */
export interface Vouched<I extends Identity = Identity> extends Omit<Verified<I>, 'lookedUpAt' | 'firstSeenAt'> {
  /** When, in milliseconds since the epoch by the store's clock: perhaps earlier, never later. */
  readonly vouchedAt: number
}

/** A bad credential. The reason is for events and logs; a client gets one answer for all reasons. */
export interface Rejected {
  /** Why. */
  readonly rejected: VerificationFailure
  /** What came and what was expected, where that helps whoever reads the log. Never the credential, nor a part of it. */
  readonly detail?: string
}

/** What a verifier says of a credential. Bad credentials are values; thrown errors are failures of a dependency or of ours. */
export type Verification<I extends Identity = Identity> = Verified<I> | Rejected

/** What a verifier may look at beside the credential. */
export interface VerifyContext {
  /** The handshake that brought the credential. */
  readonly handshake: Handshake
  /** Milliseconds since the epoch, by the guard's clock. */
  readonly now: number
  /** Aborted when the guard no longer waits for the answer. */
  readonly signal: AbortSignal
}

/**
 * Says whose a credential is.
 *
 * Answers {@link Verified} or {@link Rejected}. Throws `UnavailableError` when it cannot know because a dependency is
 * down (503 or Close 1013); any other thrown error is a bug (500 or Close 1011). Neither ends the process.
 */
export interface Verifier<I extends Identity = Identity> {
  (credential: string, context: VerifyContext): Verification<I> | Promise<Verification<I>>
  /**
   * Answers what it remembers of a credential, or sees in it at a glance: at once, and at no cost. `undefined`: it must be
   * asked. A verifier that has one lets good credentials pass that it knows when their address has used up what it may have
   * verified. `now` is in milliseconds since the epoch.
   */
  readonly recall?: Recall<I>
  /**
   * The longest life, from `issuedAt` to `expiresAt`, of a credential that it lets in, in milliseconds. Revocations are
   * remembered for so long, unless `life.revocationMemory` says otherwise. Default: 30 days.
   */
  readonly maxLifetime?: number
}

/** See {@link Verifier.recall}. */
export type Recall<I extends Identity = Identity> = (credential: string, now: number) => Verification<I> | undefined

/** `I`, unless the application's own code left it untyped: no identity is ever `any`. */
export type Known<I extends Identity> = 0 extends 1 & I ? Identity : I

/** A bad credential, for this reason; `detail` says more of it to whoever reads the log. */
export const rejected = (reason: VerificationFailure, detail?: string): Rejected =>
  detail === undefined ? { rejected: reason } : { rejected: reason, detail }

/** Whether an answer is that of a bad credential. */
export const isRejected = (answer: object): answer is Rejected => 'rejected' in answer
