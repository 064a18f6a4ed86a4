import type { CodeName } from '@sallyport/protocol'
import type { Identity } from '../identity.js'
import type { Reason } from '../refusals/reasons.js'
import type { StoreState } from '../stores/store.js'
import { UnavailableError } from '../support/errors.js'
import { Listeners } from '../support/listeners.js'
import type { Connection } from './connection.js'

/** What the guard tells those who subscribe. No event carries a credential. */
export type GuardEvent<I extends Identity = Identity> =
  | { readonly type: 'accepted'; readonly connection: Connection<I> }
  | {
      readonly type: 'refused'
      /** Names this refusal, in events and logs. */
      readonly id: string
      readonly reason: Reason
      /**
       * What came and what was expected, where a verifier said so: `aud is "web", expected "api"`. Printable ASCII, 500
       * characters at most and three dots.
       */
      readonly detail?: string
      readonly path: string
      readonly address: string
      /** What a verifier, a store or a handler threw, where that was the cause. */
      readonly error?: unknown
    }
  | { readonly type: 'renewed'; readonly connection: Connection<I> }
  /** The guard ends a connection; `closed` follows when the socket is gone. */
  | {
      readonly type: 'ended'
      readonly connection: Connection<I>
      readonly code: CodeName
      readonly error?: unknown
      /**
       * What was said when it was revoked, why a recheck found its credential bad, `heartbeat` when its peer had answered no
       * ping, or what a framework answered in place of its WebSocket route, such as `the application answered 403`.
       */
      readonly reason?: string
    }
  /** Nobody could say whether the credential of a connection is still good. It lives on for a while. */
  | { readonly type: 'recheck-failed'; readonly connection: Connection<I>; readonly error: unknown }
  | { readonly type: 'closed'; readonly connection: Connection<I> }
  /** The store is out of reach, or again in reach. */
  | { readonly type: 'store'; readonly state: StoreState }

/** Why a connection ended. */
export interface Cause {
  /** What was thrown. */
  readonly error?: unknown
  /** What the revocation says, or a recheck, the heartbeat, or a framework. */
  readonly reason?: string | undefined
}

/** Takes the guard's events. What it throws is dropped: watching must not change what happens. */
export type Listener<I extends Identity = Identity> = (event: GuardEvent<I>) => void

/** The listeners of a guard. */
export class Events<I extends Identity> extends Listeners<GuardEvent<I>> {
  override emit(event: GuardEvent<I>): void {
    if (!this.areHeard && 'error' in event) warn(event.error)
    super.emit(event)
  }
}

/**
 * What went wrong in somebody's code must not vanish because nobody subscribed. A dependency that is down is no bug. The
 * message is left out: an error of a parser quotes what it could not read, and that may be a credential.
 */
function warn(error: unknown): void {
  if (!(error instanceof Error) || error instanceof UnavailableError) return
  const trace = error.stack?.split('\n').filter((line) => /^ +at /.test(line)) ?? []
  process.emitWarning(`Sallyport caught an error: ${error.name}\n${trace.join('\n')}`)
}
