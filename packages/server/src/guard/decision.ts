import type { Reading } from '../carriers/carrier.js'
import { type Handshake, listHeader, repeated, singleHeader } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { Attempts } from '../limits/attempts.js'
import type { Method, TicketMethod } from '../methods.js'
import type { Reason } from '../refusals/reasons.js'
import type { RevocationLog } from '../revocation/log.js'
import { andThen } from '../support/and-then.js'
import { UnavailableError } from '../support/errors.js'
import { hash } from '../support/hash.js'
import { type Accept, type Await, type Refuse, refuse, type Verdict } from '../verdict.js'
import { checkedAnswer } from '../verifiers/answer.js'
import { verifyInTime } from '../verifiers/in-time.js'
import { isRejected, type Rejected, rejected, type Verified, type Verifier } from '../verifiers/verifier.js'
import type { GuardSettings } from './options.js'

/** What a decision rests on. */
export interface DecisionOptions<I extends Identity> {
  readonly settings: GuardSettings
  readonly attempts: Attempts
  /** The verifier of tickets, which are the guard's own. */
  readonly redeemTicket: Verifier<I>
  /** What has been revoked. */
  readonly revocations: Pick<RevocationLog, 'now' | 'isRevoked'>
}

/** The methods that a request may use. */
export interface Ways<I extends Identity> {
  readonly methods: readonly (Method<I> | TicketMethod)[]
  /** Whether a page could send any header, as with fetch. A WebSocket constructor cannot. */
  readonly fetched: boolean
  /** The verdict when there is no credential yet. */
  readonly wait?: Await | undefined
}

/** Decides about requests. Every way in comes through {@link Decision.evaluate}. */
export class Decision<I extends Identity> {
  readonly #options: DecisionOptions<I>

  constructor(options: DecisionOptions<I>) {
    this.#options = options
  }

  evaluate(handshake: Handshake, ways: Ways<I>): Verdict<I> | Promise<Verdict<I>> {
    const presented = this.#choose(handshake, ways)
    if (presented === undefined) return ways.wait ?? this.deny('credential-absent', handshake)
    if ('reason' in presented) return presented
    const verdict = this.#verify(presented, handshake)
    const { wait } = ways
    if (!wait || !presented.method.ambient) return verdict
    // A stale cookie came without being asked, and the first message is a full authentication of its own.
    return verdict.then((known) => (known.type === 'refuse' && known.code === 'unauthenticated' ? wait : known))
  }

  /** What was thrown on the way to a verdict. A broken dependency is not a bad credential, and neither is a bug. */
  failure(error: unknown, handshake: Handshake): Refuse {
    const reason = error instanceof UnavailableError ? 'dependency-unavailable' : 'internal-error'
    return { ...this.deny(reason, handshake), error }
  }

  /** The one credential to verify; `undefined` when there is none, a refusal when what there is must not be verified. */
  #choose(handshake: Handshake, { methods, fetched }: Ways<I>): Presented<I> | Refuse | undefined {
    const origin = singleHeader(handshake, 'origin')
    if (origin === repeated) return refuse('handshake-malformed')
    let explicit: Shown<I> | undefined
    let ambient: Shown<I> | undefined
    let conflict = false
    for (const method of methods) {
      const reading = method.carrier(handshake)
      if (reading.type === 'absent') continue
      if (method.ambient) ambient ??= { method, reading }
      else if (explicit) conflict = true
      else explicit = { method, reading }
    }
    // An explicit credential decides alone. No page can send an Authorization header with a handshake, so that there the
    // Origin says nothing.
    const first = explicit ?? ambient
    const noPage = !fetched && first?.method.name === 'header' && first.reading.type === 'found'
    if (origin !== undefined && !noPage && !this.#allowsOrigin(origin)) return refuse('origin-not-allowed')
    if (conflict) return refuse('credentials-conflict')
    if (first === undefined) return undefined
    if (first.reading.type !== 'found') return refuse('credential-malformed')
    if (first.method.ambient) {
      if (origin === undefined) return refuse('origin-missing')
      if (listHeader(handshake, 'sec-fetch-site').includes('cross-site')) return refuse('fetch-metadata')
    }
    return { method: first.method, credential: first.reading.credential }
  }

  /**
   * Verifies a credential within the limits on attempts. `verify` answers what it stands for, or why it is bad; what it
   * throws is a failure of ours.
   */
  async attempt<T extends object>(
    handshake: Handshake,
    credential: string,
    verify: () => T | Rejected | Promise<T | Rejected>,
  ): Promise<T | Refuse> {
    const { settings, attempts } = this.#options
    const address = settings.addressOf(handshake)
    const standing = attempts.ask(address)
    if (standing === 'exhausted') return refuse('attempts')
    try {
      const answer = verify()
      // Most are there at once, and a turn costs more than the question.
      const verified = answer instanceof Promise ? await answer : answer
      if (!isRejected(verified)) return verified
      attempts.fail(address, hash(credential))
      return standing === 'limited' ? refuse('attempts') : this.deny(verified.rejected, handshake, verified.detail)
    } catch (error) {
      return this.failure(error, handshake)
    }
  }

  #verify({ method, credential }: Presented<I>, handshake: Handshake): Promise<Accept<I> | Refuse> {
    const { settings, redeemTicket, revocations } = this.#options
    const { clock, verifyTimeout: timeout } = settings
    const verifier = 'verify' in method ? method.verify : redeemTicket
    // A cookie that a logout has emptied.
    if (credential === '') return Promise.resolve(this.deny('credential-placeholder', handshake))
    return this.attempt(handshake, credential, () => {
      // What is revoked while it is looked up was vouched for before.
      const vouchedAt = revocations.now
      const asked = verifyInTime(verifier, credential, { handshake, clock, timeout })
      return andThen(asked, (answer) => {
        const verification = checkedAnswer(answer)
        return isRejected(verification) ? verification : this.#accept(verification, method.name, vouchedAt)
      })
    })
  }

  /** What a verifier vouched for, or why it is not good all the same. */
  #accept(verified: Verified<I>, method: Accept['method'], vouchedAt: number): Accept<I> | Rejected {
    const { settings, revocations } = this.#options
    const { identity, expiresAt, issuedAt = vouchedAt, session, token } = verified
    const accept: Accept<I> = { type: 'accept', method, identity, expiresAt, issuedAt, session, token }
    // It could be good again after its revocation is forgotten.
    if (verified.issuedAt !== undefined && (expiresAt ?? issuedAt) - issuedAt > settings.life.revocationMemory) {
      return rejected('credential-lifetime')
    }
    return revocations.isRevoked(accept) ? rejected('credential-revoked') : accept
  }

  /** Refuses what came from an allowed place, so that it may be told by Close. */
  deny(reason: Reason, handshake: Handshake, detail?: string): Refuse {
    const { refuseBy } = this.#options.settings
    const origin = singleHeader(handshake, 'origin')
    const isForeign = typeof origin !== 'string' ? origin === repeated : !this.#allowsOrigin(origin)
    const byClose = !isForeign && (refuseBy === 'close' || (refuseBy === 'client' && origin !== undefined))
    return { ...refuse(reason, detail), by: byClose ? 'close' : 'status' }
  }

  #allowsOrigin(origin: string): boolean {
    return this.#options.settings.originPolicy?.(origin) ?? true
  }
}

/** What the carrier of a method has read. */
interface Shown<I extends Identity> {
  readonly method: Method<I> | TicketMethod
  readonly reading: Reading
}

/** A credential and the method that it came by. */
interface Presented<I extends Identity> {
  readonly method: Method<I> | TicketMethod
  readonly credential: string
}
