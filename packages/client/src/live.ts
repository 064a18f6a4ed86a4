import type { Clock } from './clock.js'
import type { Authentication, Dialogue, Target } from './credentials/credential.js'
import type { Ending, Outcome } from './outcome.js'
import type { WebSocketLike } from './web-socket-like.js'

/** Time and chance, as they are given to a socket. */
export interface Timing {
  readonly clock: Clock
  /** A random number from 0 up to, but not, 1. */
  readonly random: () => number
  /** How long an answer may take. */
  readonly timeoutMs: number
}

/** What the pieces that can be plugged into a socket work with. */
export interface Host extends Target, Timing {}

/** A connection that was accepted, for the pieces that look after it. */
export interface Live {
  readonly authentication: Authentication
  /** Aborted when the connection has ended or was given up: what comes later belongs to no connection. */
  readonly signal: AbortSignal
  readonly socket: WebSocketLike
  /** Present where the connection speaks the frames of the protocol. */
  readonly dialogue: Dialogue | undefined
  /** Ends the connection, as if this had happened to it. Does nothing once it has ended. */
  end(ending: Ending): void
  /** Set by whoever keeps a deadline; called when the application is back from sleep or the background. */
  onwake?: () => void
}

/**
 * Renews the credential of a live connection ahead of its end. `renewal()` makes one. Called when a `Credential` is;
 * what it returns is called once the connection is accepted.
 */
export type Renewal = (host: Host) => (live: Live) => void

/** Knows when to dial, and when a connection must be dead. `lifecycle()` makes one. */
export type Lifecycle = (timing: Timing) => {
  /** Dials after `ms` milliseconds or at a better time, because of `outcome`; the returned function cancels it. */
  after(ms: number, dial: () => void, outcome: Outcome): () => void
  /** Called before every attempt; what it throws is the end of the attempt. */
  before?(): void
  attend?(live: Live): void
}
