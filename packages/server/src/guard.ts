import { randomBytes } from 'node:crypto'
import { bearerPrefix, readSubprotocols } from '@sallyport/protocol'
import { selectSubprotocol } from './carriers/subprotocol.js'
import { type Clock, systemClock } from './clock.js'
import { Connections } from './connections/connections.js'
import type { RevocationTarget } from './connections/revocations.js'
import { ConfigurationError, UnavailableError } from './errors.js'
import { Events, type Listener } from './events.js'
import type { Identity } from './identity.js'
import type { AnyMethod, IdentityOf, MessageMethod, Method, TicketMethod } from './methods.js'
import { createOriginPolicy, type OriginPolicy } from './origin.js'
import type { Reason } from './reasons.js'
import { type Handshake, readTarget, repeated, singleHeader } from './request.js'
import { memoryStore } from './stores/memory.js'
import type { Store } from './stores/store.js'
import { createTickets, type IssuedTicket } from './tickets.js'
import { checkUpgrade } from './upgrade.js'
import { type Accept, type Await, type Refuse, refuse, type Verdict } from './verdict.js'
import { verifyInTime } from './verifiers/in-time.js'
import { rejected, type Verified, type Verifier } from './verifiers/verifier.js'

/** Options of {@link createGuard}. */
export type GuardOptions<M extends readonly AnyMethod[]> = BaseOptions<M> & OriginOptions<M[number]>

interface BaseOptions<M extends readonly AnyMethod[]> {
  /** The ways in. Each carrier at most once; cookies of different names may stand beside each other. */
  readonly accept: M
  /**
   * The application's subprotocols. The first one that a client offers and that stands here is selected; any other is
   * not. Default: none.
   */
  readonly protocols?: readonly string[]
  /**
   * How a bad credential is refused: `status`, an HTTP response; `close`, a 101 and then Close at once; `client`
   * (default), Close for a browser on an allowed origin, which could not read a status, and a status for all others.
   * A foreign origin or a malformed handshake always gets a status.
   */
  readonly refuseBy?: 'status' | 'close' | 'client'
  /** How long a verifier may take, in milliseconds; then 503 or Close 1013. Default 5,000. */
  readonly verifyTimeout?: number
  /** What nodes share. Default: {@link memoryStore}, for a single process. */
  readonly store?: Store
  /** Default: the system's clock. */
  readonly clock?: Clock
  /** That many random bytes. Default: `randomBytes` of `node:crypto`. */
  readonly random?: (bytes: number) => Uint8Array
}

/**
 * The pages that may connect: origins as browsers send them, such as `https://app.example.com`; `https://*.example.com`
 * for each host directly under it. Required with a cookie, which browsers send for every page (RFC 6455 section 10.2).
 * Not asked of a request with an `Authorization` header, which no page can send.
 */
type OriginOptions<M> = true extends (M extends { readonly ambient: infer A } ? A : never)
  ? { readonly origins: readonly string[] }
  : { readonly origins?: readonly string[] }

/** The one place that decides. Knows no socket library. */
export interface Guard<I extends Identity = Identity> {
  /** Decides on a WebSocket handshake; once more, with its `message`, when the first verdict was to wait for it. */
  decide(handshake: Handshake): Promise<Verdict<I>>
  /** Issues a ticket for the WebSocket route at `path` to the caller of a route, who shows who it is by header or cookie. */
  issueTicket(request: Handshake, path: string): Promise<IssuedTicket | Refuse>
  /** The pages that may connect, as configured; `undefined` when the guard asks for no origin. */
  readonly originPolicy: OriginPolicy | undefined
  /** The live connections of this node. */
  readonly connections: Connections<I>
  /** Closes what the target names (4010) and refuses it from now on. Answers how many connections it closed. */
  revoke(target: RevocationTarget): Promise<number>
  /** Subscribes to what happens; the returned function ends the subscription. */
  subscribe(listener: Listener<I>): () => void
  readonly clock: Clock
}

/**
 * Creates a guard.
 *
 * @throws ConfigurationError on options that cannot work or are not safe.
 */
export function createGuard<const M extends readonly AnyMethod[]>(
  options: GuardOptions<M>,
): Guard<IdentityOf<M[number]>> {
  type I = IdentityOf<M[number]>
  const { clock = systemClock, random = randomBytes, protocols = [], refuseBy = 'client' } = options
  const { store = memoryStore({ clock }), origins, verifyTimeout = 5_000 } = options
  checkOptions(options)

  // The list of the options with its identity by name instead of by inference: the one place where they meet.
  const methods = options.accept as readonly (Method<I> | TicketMethod)[]
  const httpMethods = methods.filter(({ http }) => http)
  const originPolicy = origins && createOriginPolicy(origins)
  const allowsOrigin = originPolicy ?? (() => true)
  const awaitMessage = awaitVerdict(methods)
  const ticketMethod = methods.find((method) => 'options' in method)
  const tickets = ticketMethod && createTickets<I>(ticketMethod.options, { store, clock, random })
  const events = new Events<I>()
  const connections = new Connections<I>({ clock, random, events, decide })

  async function decide(handshake: Handshake): Promise<Verdict<I>> {
    // A message comes from a socket whose handshake was found good.
    const fault = handshake.message === undefined ? checkUpgrade(handshake) : undefined
    const verdict = fault ? refuse(fault) : await evaluate(handshake, methods, awaitMessage)
    const protocol = selectSubprotocol(handshake, protocols)
    return report(protocol === undefined ? verdict : { ...verdict, protocol }, handshake)
  }

  async function issueTicket(request: Handshake, path: string): Promise<IssuedTicket | Refuse> {
    if (!tickets) return report(refuse('path-unknown'), request)
    const verdict = await evaluate(request, httpMethods)
    if (verdict.type !== 'accept')
      return report(verdict.type === 'refuse' ? verdict : refuse('credential-absent'), request)
    try {
      const issued = await tickets.issue(verdict, tickets.bindingFor(request, path))
      return issued ?? report(refuse('ticket-limit'), request)
    } catch (error) {
      return report(failure(error, request), request)
    }
  }

  /** The decision: every way in comes through here. */
  async function evaluate(handshake: Handshake, candidates: typeof methods, wait?: Await): Promise<Verdict<I>> {
    const presented = choose(handshake, candidates)
    if (presented === undefined) return wait ?? deny('credential-absent', handshake)
    if ('reason' in presented) return presented
    const verdict = await verify(presented, handshake)
    // A stale cookie came without being asked, and the first message is a full authentication of its own.
    const stale = presented.method.ambient && verdict.type === 'refuse' && verdict.code === 'unauthenticated'
    return stale && wait ? wait : verdict
  }

  /** The one credential to verify; `undefined` when there is none, a refusal when what there is must not be verified. */
  function choose(handshake: Handshake, candidates: typeof methods): Presented<I> | Refuse | undefined {
    const origin = singleHeader(handshake, 'origin')
    if (origin === repeated) return refuse('handshake-malformed')
    const presented = candidates
      .map((method) => ({ method, reading: method.carrier(handshake) }))
      .filter(({ reading }) => reading.type !== 'absent')
    const explicit = presented.filter(({ method }) => !method.ambient)
    // An explicit credential decides alone. No page can send an Authorization header with a handshake, so that there the
    // Origin says nothing.
    const [first] = explicit.length > 0 ? explicit : presented
    const noPage = candidates === methods && first?.method.name === 'header' && first.reading.type === 'found'
    if (origin !== undefined && !noPage && !allowsOrigin(origin)) return refuse('origin-not-allowed')
    if (explicit.length > 1) return refuse('credentials-conflict')
    if (first === undefined) return undefined
    if (first.reading.type !== 'found') return refuse('credential-malformed')
    if (first.method.ambient) {
      if (origin === undefined) return refuse('origin-missing')
      if (singleHeader(handshake, 'sec-fetch-site') === 'cross-site') return refuse('fetch-metadata')
    }
    return { method: first.method, credential: first.reading.credential }
  }

  async function verify({ method, credential }: Presented<I>, handshake: Handshake): Promise<Accept<I> | Refuse> {
    const verifier = 'verify' in method ? method.verify : redeemTicket
    try {
      const verification = await verifyInTime(verifier, credential, { handshake, clock, timeout: verifyTimeout })
      if ('rejected' in verification) return deny(verification.rejected, handshake)
      checkVerified(verification)
      const { issuedAt = clock.now() } = verification
      const accept: Accept<I> = { ...verification, type: 'accept', method: method.name, issuedAt }
      return connections.isRevoked(accept) ? deny('credential-revoked', handshake) : accept
    } catch (error) {
      return failure(error, handshake)
    }
  }

  const redeemTicket: Verifier<I> = (credential, context) =>
    tickets?.redeem(credential, context.handshake) ?? rejected('credential-unknown')

  /** Refuses what came from an allowed place, so that it may be told by Close. */
  function deny(reason: Reason, handshake: Handshake): Refuse {
    const origin = singleHeader(handshake, 'origin')
    const isBrowser = typeof origin === 'string' && allowsOrigin(origin)
    const byClose = refuseBy === 'close' || (refuseBy === 'client' && isBrowser)
    return { ...refuse(reason), by: byClose ? 'close' : 'status' }
  }

  /** A broken dependency is not a bad credential, and neither is a bug. */
  function failure(error: unknown, handshake: Handshake): Refuse {
    const reason = error instanceof UnavailableError ? 'dependency-unavailable' : 'internal-error'
    return { ...deny(reason, handshake), error }
  }

  function report<V extends Verdict<I>>(verdict: V, handshake: Handshake): V {
    if (verdict.type === 'refuse') {
      const path = readTarget(handshake.target)?.path ?? ''
      const { reason, error } = verdict
      events.emit({ type: 'refused', reason, path, address: handshake.address, ...(error !== undefined && { error }) })
    }
    return verdict
  }

  return {
    decide,
    issueTicket,
    originPolicy,
    connections,
    clock,
    revoke: async (target) => connections.revoke(target),
    subscribe: (listener) => events.subscribe(listener),
  }
}

/** A credential and the method that it came by. */
interface Presented<I extends Identity> {
  readonly method: Method<I> | TicketMethod
  readonly credential: string
}

function awaitVerdict(methods: readonly AnyMethod[]): Await | undefined {
  const method = methods.find((method): method is MessageMethod => method.name === 'message')
  return method && { type: 'await', timeout: method.timeout, maxBytes: method.maxBytes }
}

/** A verifier is the user's code: what it answers is looked at before it is believed. */
function checkVerified({ identity, expiresAt }: Verified): void {
  if (typeof identity?.id !== 'string' || identity.id === '') {
    throw new TypeError('a verifier must answer { identity: { id } } with an id that is a string and not empty')
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new TypeError('a verifier must answer expiresAt in milliseconds since the epoch, or leave it out')
  }
}

function checkOptions(options: BaseOptions<readonly AnyMethod[]> & { readonly origins?: readonly string[] }): void {
  const { accept, origins, protocols = [] } = options
  if (accept.length === 0) throw new ConfigurationError('accept is empty, so nobody could connect: list a method')
  const names = accept.map(({ name }) => name).filter((name) => name !== 'cookie')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw new ConfigurationError(`accept lists ${twice} twice: give one method a verifier that knows both`)
  if (!origins && accept.some(({ ambient }) => ambient)) {
    throw new ConfigurationError('accept lists a cookie, which browsers send for every page: list yours in origins')
  }
  if (protocols.length === 0 && names.includes('subprotocol')) {
    throw new ConfigurationError('accept lists subprotocol, which stands beside one of yours: list it in protocols')
  }
  for (const protocol of protocols) {
    if (!readSubprotocols(protocol) || protocol.includes(',') || protocol.startsWith(bearerPrefix)) {
      throw new ConfigurationError(`protocols: ${JSON.stringify(protocol)} is no subprotocol name`)
    }
  }
}
