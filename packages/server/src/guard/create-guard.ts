import { selectSubprotocol } from '../carriers/subprotocol.js'
import { LiveConnections } from '../connections/connections.js'
import { Events } from '../connections/events.js'
import type { Renewed } from '../connections/renewal.js'
import { type Handshake, mayHideHeaders, readTarget, singleHeader } from '../handshake/request.js'
import { checkUpgrade } from '../handshake/upgrade.js'
import { Attempts } from '../limits/attempts.js'
import { Pending, type Place } from '../limits/pending.js'
import type { AnyMethod, IdentityOf, MessageMethod, Method, TicketMethod } from '../methods.js'
import type { Reason } from '../refusals/reasons.js'
import { andThen, isPromise } from '../support/and-then.js'
import { checkedNumber } from '../support/checked-number.js'
import { longestDelay } from '../support/clock.js'
import { newId } from '../support/id.js'
import { printable } from '../support/printable.js'
import { randomBytes } from '../support/random.js'
import { createTickets, type IssuedTicket } from '../tickets.js'
import { type Accept, type Await, failed, type Refuse, refuse, type Verdict } from '../verdict.js'
import { type Admit, admitInTime } from '../verifiers/admit.js'
import { checkedLogout } from '../verifiers/answer.js'
import { verifyInTime } from '../verifiers/in-time.js'
import type { Logout, LogoutVerifier } from '../verifiers/logout.js'
import { rejected } from '../verifiers/verifier.js'
import { Decision, type Ways } from './decision.js'
import type { Guard } from './guard.js'
import { Measurements, type Work } from './measurements.js'
import { type GuardOptions, settingsOf } from './options.js'
import { type KnownClient, Recognition } from './recognition.js'

/**
 * Creates a guard.
 *
 * @throws ConfigurationError on options that cannot work or are not safe.
 */
export function createGuard<const M extends readonly AnyMethod[]>(
  options: GuardOptions<M>,
): Guard<IdentityOf<M[number]>> {
  type I = IdentityOf<M[number]>
  const settings = settingsOf(options)
  const { clock, protocols, limits, originPolicy, addressOf, store, connectionLimit, verifyTimeout } = settings

  // The list of the options with its identity by name instead of by inference: the one place where they meet.
  const methods = options.accept as readonly (Method<I> | TicketMethod)[]
  const upgradeWays: Ways<I> = { methods, fetched: false, wait: awaitVerdict(methods, limits.credentialBytes) }
  const routeWays: Ways<I> = { methods: methods.filter(({ http }) => http), fetched: true }
  const ticketMethod = methods.find((method) => 'options' in method)
  const tickets = ticketMethod && createTickets<I>(ticketMethod.options, settings)
  const events = new Events<I>()
  const measurements = new Measurements(clock)
  const pending = new Pending(limits)
  const connections = new LiveConnections<I>({ ...settings, events, decide, verify })
  const decision = new Decision<I>({
    settings,
    attempts: new Attempts(clock, limits, store),
    measurements,
    redeemTicket: (credential, { handshake }) =>
      tickets?.redeem(credential, handshake) ?? rejected('credential-unknown'),
    revocations: connections.log,
  })
  const recognition = new Recognition<I>({ settings, decision, ways: routeWays, connections })

  function enter(handshake: Handshake): Place | Refuse {
    return pending.enter(addressOf(handshake)) ?? report(refuse('pending'), handshake)
  }

  function decide(handshake: Handshake, admit?: Admit<I>): Verdict<I> | Promise<Verdict<I>> {
    if (!measurements.areHeard) return judge(handshake, admit)
    return measurements.time(() => judge(handshake, admit), decisionWork)
  }

  function judge(handshake: Handshake, admit: Admit<I> | undefined): Verdict<I> | Promise<Verdict<I>> {
    return andThen(evaluate(handshake), (verdict) => {
      if (verdict.type !== 'accept' || !(admit || connectionLimit)) return conclude(verdict, handshake)
      return letIn(verdict, handshake, admit).then((known) => conclude(known, handshake))
    })
  }

  /** Asks the application and, behind that, for a place. */
  async function letIn(accept: Accept<I>, handshake: Handshake, admit?: Admit<I>): Promise<Accept<I> | Refuse> {
    const verdict = admit ? await ask(admit, accept, handshake) : accept
    return verdict.type === 'accept' && connectionLimit ? takePlace(verdict, handshake) : verdict
  }

  function conclude(verdict: Verdict<I>, handshake: Handshake): Verdict<I> {
    const protocol = selectSubprotocol(handshake, protocols)
    return report(protocol === undefined ? verdict : { ...verdict, protocol }, handshake)
  }

  function verify(handshake: Handshake, admit?: Admit<I>): Verdict<I> | Promise<Verdict<I>> {
    return andThen(evaluate(handshake), (verdict) =>
      verdict.type === 'accept' && admit
        ? ask(admit, verdict, handshake).then((known) => report(known, handshake))
        : report(verdict, handshake),
    )
  }

  async function recognize(request: Handshake, known?: KnownClient<I>): Promise<string | Refuse> {
    const mark = await recognition.recognize(request, known)
    return typeof mark === 'string' ? mark : report(mark, request)
  }

  function evaluate(handshake: Handshake): Verdict<I> | Promise<Verdict<I>> {
    if (connections.isDraining) return refuse('draining')
    // A message comes from a socket whose handshake was found good.
    const isOpen = handshake.isOpen || handshake.message !== undefined
    const fault = isOpen ? undefined : checkUpgrade(handshake)
    return fault ? refuse(fault) : decision.evaluate(handshake, upgradeWays)
  }

  /** Asks the application whether somebody may connect. */
  async function ask(admit: Admit<I>, accept: Accept<I>, handshake: Handshake): Promise<Accept<I> | Refuse> {
    try {
      const admitted = await admitInTime(admit, accept.identity, handshake, settings)
      return admitted === true ? accept : decision.deny('not-admitted', handshake, admitted.reason)
    } catch (error) {
      return decision.failure(error, handshake)
    }
  }

  async function takePlace(accept: Accept<I>, handshake: Handshake): Promise<Accept<I> | Refuse> {
    try {
      return (await connections.takePlace(accept)) ?? decision.deny('connection-limit', handshake)
    } catch (error) {
      return decision.failure(error, handshake)
    }
  }

  /** Says who calls a route, then does what they ask for. */
  function serve<T extends object>(
    request: Handshake,
    act: (caller: Accept<I>) => T | Reason | Promise<T | Reason>,
  ): T | Refuse | Promise<T | Refuse> {
    if (mayHideHeaders(request)) return report(refuse('handshake-headers'), request)
    const fail = (error: unknown) => report(decision.failure(error, request), request)
    const finish = (done: T | Reason) => (typeof done === 'string' ? report(refuse(done), request) : done)
    return andThen(decision.evaluate(request, routeWays), (verdict) => {
      if (verdict.type === 'refuse') return report(verdict, request)
      if (verdict.type === 'await') return finish('credential-absent')
      try {
        const done = act(verdict)
        return isPromise(done) ? done.then(finish).catch(fail) : finish(done)
      } catch (error) {
        return fail(error)
      }
    })
  }

  async function allowsOrigin(request: Handshake): Promise<boolean | Refuse> {
    const origin = singleHeader(request, 'origin')
    if (!originPolicy || typeof origin !== 'string') return false
    try {
      return await originPolicy(origin, request)
    } catch (error) {
      return report(failed(error), request)
    }
  }

  const issueTicket = (request: Handshake, path: string): IssuedTicket | Refuse | Promise<IssuedTicket | Refuse> =>
    serve<IssuedTicket>(request, (caller) => {
      if (!tickets) return 'path-unknown'
      return andThen(tickets.issue(caller, tickets.bindingFor(request, path)), (issued) => {
        if (!issued) return 'ticket-limit'
        if (measurements.areHeard) measurements.emit({ type: 'ticket-issued' })
        return issued
      })
    })

  const renew = async (request: Handshake, connection?: string): Promise<Renewed | Refuse> =>
    serve(request, (caller) => connections.renewals.renewAll(caller, connection))

  async function logOut(request: Handshake, token: string, verify: LogoutVerifier): Promise<Logout | Refuse> {
    const terms = { handshake: request, clock, timeout: verifyTimeout }
    const verified = await decision.attempt(request, token, () =>
      andThen(
        verifyInTime((text, { now }) => verify(text, now), token, terms),
        checkedLogout,
      ),
    )
    if ('reason' in verified) return report(verified, request)
    try {
      await connections.logOut(verified)
      return verified
    } catch (error) {
      return report(decision.failure(error, request), request)
    }
  }

  function report<V extends Verdict<I>>(verdict: V, handshake: Handshake): V {
    // A flood of refusals must not cost what nobody sees; what was thrown is told all the same.
    if (verdict.type === 'refuse' && (events.areHeard || verdict.error !== undefined)) {
      const { reason, detail, error } = verdict
      const path = readTarget(handshake.target)?.path ?? ''
      const address = addressOf(handshake)
      events.emit({
        type: 'refused',
        // Of our own: a refusal is told of also where the application's source is broken.
        id: newId(randomBytes),
        reason,
        // A verifier's own code wrote it.
        ...(typeof detail === 'string' && { detail: printable(detail, maxDetail) }),
        path,
        address,
        ...(error !== undefined && { error }),
      })
    }
    return verdict
  }

  return {
    enter,
    decide,
    verify,
    recognize,
    issueTicket,
    renew,
    logOut,
    refuse: (request, reason, error) => report({ ...refuse(reason), ...(error !== undefined && { error }) }, request),
    allowsOrigin,
    connections,
    clock,
    revoke: (target, reason) => connections.revoke(target, reason),
    get pending() {
      return pending.size
    },
    get health() {
      return { store: connections.log.state, draining: connections.isDraining }
    },
    ready: () => connections.log.ready(),
    drain: async ({ within = 10_000 } = {}) =>
      connections.drain(checkedNumber('drain', 'within', within, 0, longestDelay)),
    subscribe: (listener) => events.subscribe(listener),
    measure: (listener) => measurements.subscribe(listener),
  }
}

const outcomes = { accept: 'accepted', await: 'waiting', refuse: 'refused' } as const

const decisionWork = (verdict?: Verdict): Work => ({
  type: 'decision',
  outcome: verdict ? outcomes[verdict.type] : 'refused',
})

/** Characters of a refusal's detail. */
const maxDetail = 500

function awaitVerdict(methods: readonly AnyMethod[], credentialBytes: number): Await | undefined {
  const method = methods.find((method): method is MessageMethod => method.name === 'message')
  // JSON may escape every character of a credential; the rest is the message and the frames around it.
  return method && { type: 'await', timeout: method.timeout, maxBytes: 2 * credentialBytes + 1_024 }
}
