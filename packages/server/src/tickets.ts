import { checkedCookieName, cookieCarrier } from './carriers/cookie.js'
import { type Handshake, readTarget, repeated, singleHeader } from './handshake/request.js'
import { type Identity, identityKey } from './identity.js'
import { Groups } from './stores/groups.js'
import type { Places, Store } from './stores/store.js'
import { andThen, isPromise } from './support/and-then.js'
import { checkedNumber } from './support/checked-number.js'
import type { Clock } from './support/clock.js'
import { hash } from './support/hash.js'
import { isName } from './support/kind-of.js'
import { findUnplain } from './support/plain.js'
import { type Random, randomText } from './support/random.js'
import { checkedAnswer } from './verifiers/answer.js'
import { isRejected, type Rejected, rejected, type Vouched } from './verifiers/verifier.js'

/** Options of `ticket()`. */
export interface TicketOptions {
  /** How long a ticket lives, in seconds. Default 30, at most 60. */
  readonly expiresIn?: number
  /**
   * How many tickets of each node an identity may hold that have neither expired nor been used there. Default 20. Counted
   * by the node that issues them, so that a ticket costs the store one command each way.
   */
  readonly maxOutstanding?: number
  /**
   * The name of a cookie to bind tickets to: the handshake must send the same value as the request that got the ticket.
   * Stops a ticket that was planted in somebody else's page (login CSRF). Default: not bound.
   */
  readonly boundCookie?: string
  /** The name of the query parameter. Default `ticket`. */
  readonly parameter?: string
}

/** Where a ticket is good: compared when it is redeemed. */
export interface TicketBinding {
  /** The path of the WebSocket route. */
  readonly path: string
  /** The page's origin; absent when the request had none, and then the ticket is good for any. */
  readonly origin?: string
  /** The hash of the bound cookie's value. */
  readonly cookie?: string
}

/** A ticket, as the route answers it. */
export interface IssuedTicket {
  /** 256 random bits in base64url: 43 characters. */
  readonly ticket: string
  /** Seconds. */
  readonly expiresIn: number
}

/** Issues tickets and redeems each at most once. */
export interface Tickets<I extends Identity = Identity> {
  /** Issues a ticket, or answers `undefined` when the identity already holds as many as it may. */
  issue(holder: Vouched<I>, binding: TicketBinding): IssuedTicket | undefined | Promise<IssuedTicket>
  /** Says whose a ticket is, and burns it: whatever the answer, no one can present it again. */
  redeem(ticket: string, handshake: Handshake): Vouched<I> | Rejected | Promise<Vouched<I> | Rejected>
  /** The binding of a ticket that this request asks for. */
  bindingFor(request: Handshake, path: string): TicketBinding
}

interface Stored<I extends Identity> {
  readonly hash: string
  readonly binding: TicketBinding
  readonly holder: Vouched<I>
}

const maxOwners = 100_000
const ticketSyntax = /^[A-Za-z0-9_-]{43}$/

/** Creates the tickets of a guard. `random` answers that many random bytes. */
export function createTickets<I extends Identity>(
  options: TicketOptions,
  { store, clock, random }: { store: Store; clock: Clock; random: Random },
): Tickets<I> {
  const { expiresIn = 30, maxOutstanding = 20, boundCookie } = options
  // Not every store takes a part of a millisecond.
  const ttl = Math.ceil(checkedNumber('ticket', 'expiresIn', expiresIn, 1, 60) * 1000)
  const outstanding = new Groups(clock, maxOwners)
  const places: Places = { max: checkedNumber('ticket', 'maxOutstanding', maxOutstanding, 1), whenFull: 'refuse' }
  const readBoundCookie =
    boundCookie === undefined ? undefined : cookieCarrier(checkedCookieName('ticket', 'boundCookie', boundCookie))

  function bindingFor(request: Handshake, path: string): TicketBinding {
    const origin = singleHeader(request, 'origin')
    const cookie = readBoundCookie?.(request)
    return {
      path,
      ...(origin !== undefined && origin !== repeated && { origin }),
      ...(cookie && { cookie: cookie.type === 'found' ? hash(cookie.credential) : '' }),
    }
  }

  function issue(holder: Vouched<I>, binding: TicketBinding): IssuedTicket | undefined | Promise<IssuedTicket> {
    const { identity, subject, expiresAt, issuedAt, vouchedAt, session, token } = holder
    const unplain = findUnplain(identity, 'identity')
    if (unplain) throw new TypeError(`ticket: ${unplain}; a ticket carries the identity as JSON, so give plain data`)
    const ticket = randomText(random, 32)
    const key = hash(ticket)
    const owner = identityKey(identity)
    if (!outstanding.acquire(owner, key, places, ttl).acquired) return undefined
    const stored = { hash: key, binding, holder: { identity, subject, expiresAt, issuedAt, vouchedAt, session, token } }
    const issued = { ticket, expiresIn }
    try {
      const done = store.put(`ticket:${key}`, stored, ttl)
      if (!isPromise(done)) return issued
      return done.then(
        () => issued,
        (error: unknown) => giveUp(error),
      )
    } catch (error) {
      return giveUp(error)
    }

    function giveUp(error: unknown): never {
      outstanding.release(owner, key)
      throw error
    }
  }

  function redeem(ticket: string, handshake: Handshake): Vouched<I> | Rejected | Promise<Vouched<I> | Rejected> {
    if (!ticketSyntax.test(ticket)) return rejected('credential-unreadable')
    const key = hash(ticket)
    return andThen(store.take(`ticket:${key}`), (value) =>
      value === undefined ? rejected('credential-unknown') : read(value, key, handshake),
    )
  }

  function read(value: unknown, key: string, handshake: Handshake): Vouched<I> | Rejected {
    const stored = readStored<I>(value)
    // A store client that mixes up replies must not mix up identities.
    if (stored.hash !== key) throw new Error('the store answered with the value of another key')
    outstanding.release(identityKey(stored.holder.identity), key)
    const { path, origin, cookie } = stored.binding
    const presented = bindingFor(handshake, readTarget(handshake.target)?.path ?? '')
    const bound =
      path === presented.path &&
      (origin === undefined || origin === presented.origin) &&
      (cookie === undefined || (cookie !== '' && cookie === presented.cookie))
    if (!bound) return rejected('ticket-binding')
    const { expiresAt = Number.POSITIVE_INFINITY } = stored.holder
    return expiresAt > clock.now() ? stored.holder : rejected('credential-expired')
  }

  return { issue, redeem, bindingFor }
}

/** Reads what a store answers. Not its words, but what is wrong with it, goes into the error. */
function readStored<I extends Identity>(value: unknown): Stored<I> {
  try {
    const { hash, binding, holder } = value as Stored<I>
    const isWhole = isName(binding.path) && !isRejected(checkedAnswer(holder)) && Number.isFinite(holder.vouchedAt)
    if (isWhole) return { hash, binding, holder }
  } catch {}
  throw new Error('the store answered with what is no ticket')
}
