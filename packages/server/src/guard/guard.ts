import type { Connections } from '../connections/connection.js'
import type { Listener } from '../connections/events.js'
import type { Renewed } from '../connections/renewal.js'
import type { Revoked } from '../connections/revoking.js'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { Place } from '../limits/pending.js'
import type { Reason } from '../refusals/reasons.js'
import type { RevocationTarget } from '../revocation/target.js'
import type { StoreState } from '../stores/store.js'
import { checkedObject } from '../support/checked-kind.js'
import type { Clock } from '../support/clock.js'
import type { IssuedTicket } from '../tickets.js'
import type { Refuse, Verdict } from '../verdict.js'
import type { Admit } from '../verifiers/admit.js'
import type { Logout, LogoutVerifier } from '../verifiers/logout.js'
import type { Measurement } from './measurements.js'
import type { KnownClient } from './recognition.js'

/** How a node is. */
export interface Health {
  /** What it knows of the store. While `unavailable`, it refuses handshakes with 503. */
  readonly store: StoreState
  /** Whether a drain has begun: then it refuses new sockets with 503. */
  readonly draining: boolean
}

/** The one place that decides. Knows no socket library. */
export interface Guard<I extends Identity = Identity> {
  /**
   * Lets a socket stand between the doors, before anything of it is read. Adapters call it first, and leave the place
   * when the socket is accepted, refused or gone. A call of a route takes a place in the same way.
   */
  enter(handshake: Handshake): Place | Refuse
  /**
   * Decides on a WebSocket handshake; once more, with its `message`, when the first verdict was to wait for it. `admit` is
   * the application's word about the route. The verdict is there at once where nobody has to be waited for.
   */
  decide(handshake: Handshake, admit?: Admit<I>): Verdict<I> | Promise<Verdict<I>>
  /** The same about somebody who has a connection already, and its place: what else its client asks for beside it. */
  verify(handshake: Handshake, admit?: Admit<I>): Verdict<I> | Promise<Verdict<I>>
  /**
   * Looks at a request of a client that comes by many, each with an id in its URL: it comes from an allowed page and, where
   * the client is `known`, from that client. Answers a mark of it, which is no credential, to give back with the next.
   */
  recognize(request: Handshake, known?: KnownClient<I>): Promise<string | Refuse>
  /**
   * Issues a ticket for the WebSocket route at `path` to the caller of a route, who shows who it is by header or cookie: at
   * once where nobody has to be waited for.
   */
  issueTicket(request: Handshake, path: string): IssuedTicket | Refuse | Promise<IssuedTicket | Refuse>
  /** Revokes what a logout token of an OpenID provider names; `verify` reads the token. */
  logOut(request: Handshake, token: string, verify: LogoutVerifier): Promise<Logout | Refuse>
  /**
   * Whether `origins` allow the page that a request comes from, for CORS headers; `false` without `origins` and without an
   * origin, a refusal when nobody can know.
   */
  allowsOrigin(request: Handshake): Promise<boolean | Refuse>
  /**
   * Renews live connections for the caller of a route, who shows who it is by header or cookie: the one of that id, or
   * all of the caller's session, on whatever node they are. Refuses with 503 when it cannot ask the other nodes.
   */
  renew(request: Handshake, connection?: string): Promise<Renewed | Refuse>
  /** Refuses what a route finds wrong before it asks the guard, and tells of it and of what was thrown. */
  refuse(request: Handshake, reason: Reason, error?: unknown): Refuse
  /** The live connections of this node. */
  readonly connections: Connections<I>
  /**
   * Closes what the target names (4010), here at once and on every other node within a second, and refuses it from now on.
   * `reason` is for events and logs; no client is told. Answers how far it has come.
   *
   * @throws UnavailableError when the store cannot take it: it holds on this node, and the others learn of it later
   * @throws TypeError when `target` names nothing exactly: then nothing happens
   */
  revoke(target: RevocationTarget, reason?: string): Promise<Revoked>
  /** How many sockets stand between the doors now, and calls of the routes: those that are not decided. */
  readonly pending: number
  /**
   * How this node is, for health checks. In a Worker, where nothing looks at the store in the background, an isolate that
   * is idle is `stale`, and then `unavailable`, until it looks again: call {@link Guard.ready} first.
   */
  readonly health: Health
  /**
   * Resolves once this node knows every revocation, and accepts: at once with the memory store, and not before the first
   * answer of a store that is out of reach. Never rejects.
   * With `objectStore` nothing looks in the background: then it is a look at the store, and comes before every decision that
   * neither `guardWorkers` nor `guardedObject` makes.
   */
  ready(): Promise<void>
  /**
   * Refuses new sockets (503) and closes the live ones (1012), spread over `within` milliseconds; default 10,000. Resolves
   * when none is left. Revocations work meanwhile; afterwards the guard follows its store no more.
   */
  drain(options?: { readonly within?: number }): Promise<void>
  /** Subscribes to what happens; the returned function ends the subscription. */
  subscribe(listener: Listener<I>): () => void
  /**
   * Subscribes to how long the work takes; the returned function ends the subscription. Nothing is measured while nobody
   * listens.
   */
  measure(listener: (measurement: Measurement) => void): () => void
  /** The clock that it was given. */
  readonly clock: Clock
}

/** Checks what an adapter is given. */
export const checkedGuard = <I extends Identity>(owner: string, guard: Guard<I>): Guard<I> =>
  checkedObject(owner, 'guard', guard, 'what createGuard() answers', 'decide')
