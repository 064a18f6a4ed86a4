import type { Reading } from '../carriers/carrier.js'
import { type Handshake, listHeader, repeated, singleHeader } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { Attempts } from '../limits/attempts.js'
import type { Method, TicketMethod } from '../methods.js'
import type { Reason } from '../refusals/reasons.js'
import type { RevocationLog } from '../revocation/log.js'
import { andThen } from '../support/and-then.js'
import { hash } from '../support/hash.js'
import {
  type Accept,
  type Answer,
  type Await,
  failed,
  type Recheck,
  type Refuse,
  refuse,
  type Verdict,
} from '../verdict.js'
import { checkedAnswer } from '../verifiers/answer.js'
import { seconds } from '../verifiers/detail.js'
import { verifyInTime } from '../verifiers/in-time.js'
import {
  isRejected,
  type Rejected,
  rejected,
  type Verification,
  type Verified,
  type VerifyContext,
  type Vouched,
} from '../verifiers/verifier.js'
import type { Measurements } from './measurements.js'
import type { GuardSettings } from './options.js'
import { checkOrigin } from './origin-check.js'

/** What a decision rests on. */
export interface DecisionOptions<I extends Identity> {
  readonly settings: GuardSettings
  readonly attempts: Attempts
  readonly measurements: Measurements
  /** Says whose a ticket is: the guard's own, and not a user's verifier. */
  readonly redeemTicket: (
    ticket: string,
    context: VerifyContext,
  ) => Vouched<I> | Rejected | Promise<Vouched<I> | Rejected>
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
    const origin = singleHeader(handshake, 'origin')
    if (origin === repeated) return refuse('handshake-repeated')
    const chosen = choose(handshake, ways.methods, origin)
    const byHeader = !ways.fetched && chosen !== undefined && 'method' in chosen && chosen.method.name === 'header'
    const fault = checkOrigin(handshake, origin, this.#options.settings.originPolicy, byHeader)
    if (fault instanceof Promise) return fault.then((known) => known ?? this.#decide(chosen, handshake, ways))
    return fault ?? this.#decide(chosen, handshake, ways)
  }

  #decide(chosen: Choice<I>, handshake: Handshake, { wait }: Ways<I>): Verdict<I> | Promise<Verdict<I>> {
    if (chosen === undefined) return wait ?? this.deny('credential-absent', handshake)
    if ('reason' in chosen) return chosen
    if (Buffer.byteLength(chosen.credential) > this.#options.settings.limits.credentialBytes) {
      return this.deny('credential-too-large', handshake)
    }
    const verdict = this.#verify(chosen, handshake)
    if (!wait || !chosen.method.ambient) return verdict
    return andThen(verdict, (known) => (givesWay(known) ? wait : known))
  }

  /** What was thrown on the way to a verdict. */
  failure(error: unknown, handshake: Handshake): Refuse {
    return { ...failed(error), by: this.#wayTo(handshake) }
  }

  /**
   * Verifies a credential within the limits on attempts. `verify` answers what it stands for, or why it is bad; what it
   * throws is a failure of ours. `recall` answers the same where that costs nothing, and else `undefined`.
   */
  attempt<T extends object>(
    handshake: Handshake,
    credential: string,
    verify: () => T | Rejected | Promise<T | Rejected>,
    recall?: () => T | Rejected | Promise<T | Rejected> | undefined,
  ): T | Refuse | Promise<T | Refuse> {
    const { settings, attempts } = this.#options
    const address = settings.addressOf(handshake)
    const isLimited = attempts.isLimited(address)
    try {
      const known = isLimited ? recall?.() : undefined
      if (isLimited && !known && !attempts.spend(address)) return refuse('attempts')
      const settle = (verified: T | Rejected): T | Refuse => {
        if (isRejected(verified)) {
          attempts.fail(address, hash(credential))
          return isLimited ? refuse('attempts') : this.deny(verified.rejected, handshake, verified.detail)
        }
        if (isLimited && !known) attempts.refund(address)
        return verified
      }
      const answer = known ?? verify()
      // Most are there at once, and a turn costs more than the question.
      if (!(answer instanceof Promise)) return settle(answer)
      return answer.then(settle).catch((error: unknown) => this.failure(error, handshake))
    } catch (error) {
      return this.failure(error, handshake)
    }
  }

  #verify(presented: Presented<I>, handshake: Handshake): Accept<I> | Refuse | Promise<Accept<I> | Refuse> {
    const { credential } = presented
    // A cookie that a logout has emptied.
    if (credential === '') return this.deny('credential-placeholder', handshake)
    const verify = () => this.#ask(presented, handshake)
    // A ticket costs one command of the store, and what could be none costs nothing.
    const recall = 'verify' in presented.method ? () => this.#recall(presented) : verify
    return this.attempt(handshake, credential, verify, recall)
  }

  #ask(presented: Presented<I>, handshake: Handshake): Answer<I> | Promise<Answer<I>> {
    const { measurements } = this.#options
    if (!measurements.areHeard) return this.#answer(presented, handshake)
    const method = presented.method.name
    return measurements.time(
      () => this.#answer(presented, handshake),
      (answer) => ({ type: 'verification', method, outcome: outcomeOf(answer) }),
    )
  }

  /** Asks the verifier, and looks at what it answers. */
  #answer(presented: Presented<I>, handshake: Handshake): Answer<I> | Promise<Answer<I>> {
    const { settings, redeemTicket, revocations } = this.#options
    const { clock, verifyTimeout: timeout } = settings
    const { method, credential } = presented
    const terms = { handshake, clock, timeout }
    if (!('verify' in method)) {
      return andThen(verifyInTime(redeemTicket, credential, terms), (ticket) =>
        isRejected(ticket) ? ticket : this.#accept(ticket, presented, ticket.vouchedAt),
      )
    }
    // What is revoked while it is looked up was vouched for before.
    const askedAt = revocations.now
    return andThen(verifyInTime(method.verify, credential, terms), (answer) => this.#take(answer, presented, askedAt))
  }

  /** What the verifier of a method remembers. */
  #recall(presented: Presented<I>): Answer<I> | undefined {
    const { settings, revocations } = this.#options
    const { method, credential } = presented
    const known = 'verify' in method ? method.verify.recall?.(credential, settings.clock.now()) : undefined
    return known && this.#take(known, presented, revocations.now)
  }

  #take(answer: Verification<I>, presented: Presented<I>, askedAt: number): Answer<I> {
    const verified = checkedAnswer(answer)
    if (isRejected(verified)) return verified
    return this.#outlived(verified) ?? this.#accept(verified, presented, this.#vouchedAt(verified, askedAt))
  }

  /** Refuses what could be good again after its revocation is forgotten. What is looked up each time needs no memory. */
  #outlived({ issuedAt, expiresAt = Number.POSITIVE_INFINITY, lookedUpAt }: Verified<I>): Rejected | undefined {
    const { revocationMemory: memory } = this.#options.settings.life
    if (lookedUpAt !== undefined || issuedAt === undefined || expiresAt - issuedAt <= memory) return undefined
    const detail = `lives ${seconds(expiresAt - issuedAt)}, life.revocationMemory ${seconds(memory)}, no lookedUpAt`
    return rejected('credential-lifetime', detail)
  }

  /** When a verifier that was asked at `askedAt` vouched for its answer, by the store's clock. */
  #vouchedAt({ lookedUpAt, firstSeenAt = lookedUpAt }: Verified<I>, askedAt: number): number {
    if (firstSeenAt === undefined) return askedAt
    const { settings, revocations } = this.#options
    return Math.min(askedAt, revocations.now - (settings.clock.now() - firstSeenAt))
  }

  #accept(verified: Verified<I>, presented: Presented<I>, vouchedAt: number): Answer<I> {
    const { identity, subject, expiresAt, issuedAt, session, token } = verified
    const method = presented.method.name
    const recheck = this.#mayAskAgain(verified, presented) ? this.#askAgain(presented) : undefined
    const accept: Accept<I> = {
      type: 'accept',
      method,
      identity,
      subject,
      expiresAt,
      issuedAt,
      vouchedAt,
      session,
      token,
      recheck,
    }
    return this.#options.revocations.isRevoked(accept) ? rejected('credential-revoked') : accept
  }

  /** Whether it can be looked up again: a ticket cannot, because it is spent. */
  #mayAskAgain({ lookedUpAt }: Verified<I>, { method }: Presented<I>): boolean {
    return this.#options.settings.life.recheck > 0 && lookedUpAt !== undefined && method.name !== 'ticket'
  }

  // Apart, so that it holds the credential and nothing else of the handshake.
  #askAgain(presented: Presented<I>): Recheck<I> {
    return (handshake) => this.#ask(presented, handshake)
  }

  /** Refuses what came from an allowed place, so that it may be told by Close. */
  deny(reason: Reason, handshake: Handshake, detail?: string): Refuse {
    return { ...refuse(reason, detail), by: this.#wayTo(handshake) }
  }

  /**
   * How a refusal is told to who came from an allowed place. A page could not read a status; nor could the WebSocket of
   * Node.js, which has no `Origin`, and after a 401 sends its handshake once more.
   */
  #wayTo(handshake: Handshake): Refuse['by'] {
    const { refuseBy } = this.#options.settings
    if (refuseBy !== 'client') return refuseBy
    const signs = ['origin', 'sec-fetch-mode']
    return signs.some((name) => singleHeader(handshake, name) !== undefined) ? 'close' : 'status'
  }
}

/**
 * Whether a cookie gives way to a first message. It came without being asked, and the message is a full authentication of its
 * own: whoever has a stale one is let through to it, and so is who is limited because of such cookies.
 */
const givesWay = (verdict: Accept<Identity> | Refuse): boolean =>
  verdict.type === 'refuse' && (verdict.code === 'unauthenticated' || verdict.reason === 'attempts')

function outcomeOf(answer: Answer<Identity> | undefined): 'accepted' | 'rejected' | 'failed' {
  if (answer === undefined) return 'failed'
  return isRejected(answer) ? 'rejected' : 'accepted'
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

/** The one credential to verify; `undefined` when there is none, a refusal when what there is must not be verified. */
type Choice<I extends Identity> = Presented<I> | Refuse | undefined

function choose<I extends Identity>(
  handshake: Handshake,
  methods: Ways<I>['methods'],
  origin: string | undefined,
): Choice<I> {
  let explicit: Shown<I> | undefined
  let ambient: Shown<I> | undefined
  for (const method of methods) {
    const reading = method.carrier(handshake)
    if (reading.type === 'absent') continue
    if (method.ambient) ambient ??= { method, reading }
    else if (explicit) return refuse('credentials-conflict')
    else explicit = { method, reading }
  }
  // An explicit credential decides alone.
  const first = explicit ?? ambient
  if (first === undefined) return undefined
  if (first.reading.type !== 'found') return refuse('credential-malformed')
  if (first.method.ambient) {
    if (origin === undefined) return refuse('origin-missing')
    if (listHeader(handshake, 'sec-fetch-site').includes('cross-site')) return refuse('fetch-metadata')
  }
  return { method: first.method, credential: first.reading.credential }
}
