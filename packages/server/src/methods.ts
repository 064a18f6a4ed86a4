import type { Carrier } from './carriers/carrier.js'
import { checkedCookieName, cookieCarrier } from './carriers/cookie.js'
import { headerCarrier } from './carriers/header.js'
import { messageCarrier } from './carriers/message.js'
import { checkedParameter, defaultParameters, queryCarrier } from './carriers/query.js'
import { subprotocolCarrier } from './carriers/subprotocol.js'
import type { Identity } from './identity.js'
import { andThen } from './support/and-then.js'
import { checkedNumber } from './support/checked-number.js'
import { longestDelay } from './support/clock.js'
import type { TicketOptions } from './tickets.js'
import type { MethodName } from './verdict.js'
import { checkedAnswer } from './verifiers/answer.js'
import { seconds } from './verifiers/detail.js'
import {
  isRejected,
  type Known,
  rejected,
  type Verification,
  type Verifier,
  type VerifyContext,
} from './verifiers/verifier.js'

/** A carrier with its verifier. A guard holds a list of them. */
export interface Method<I extends Identity = Identity, Ambient extends boolean = boolean> {
  /** What events and connections call it. */
  readonly name: MethodName
  /** Whether browsers send the credential without being asked, so that the guard must look at the origin. */
  readonly ambient: Ambient
  /** Whether the credential is also good at the routes (tickets, renewal). */
  readonly http: boolean
  /** The query parameter that brings the credential, where one does: it is kept from the application and from logs. */
  readonly parameter?: string
  /** Reads the credential. */
  readonly carrier: Carrier
  /** Says whose it is. */
  readonly verify: Verifier<I>
}

/** {@link ticket}: the guard verifies its own tickets. */
export interface TicketMethod extends Omit<Method<never, false>, 'verify'> {
  readonly name: 'ticket'
  /** Read when a guard is created. */
  readonly options: TicketOptions
}

/** {@link firstMessage}, with its deadline. */
export interface MessageMethod<I extends Identity = Identity> extends Method<I, false> {
  readonly name: 'message'
  /** How long a client has from the 101 on, in milliseconds. */
  readonly timeout: number
}

/** What a guard's `accept` list may hold. */
export type AnyMethod = Method | TicketMethod

/** The identity that a method's verifier tells. */
export type IdentityOf<M> = M extends Method<infer I> ? Known<I> : never

/** Options of a method that verifies bearer credentials. */
export interface BearerOptions<I extends Identity> {
  /** Says whose a credential is. */
  readonly verify: Verifier<I>
}

/**
 * `?ticket=…`: a one-time ticket that `POST {path}/ticket` issued a moment ago to someone already authenticated.
 * The default for browsers with token login: no long-lived credential stands in a URL.
 *
 * @throws ConfigurationError when `parameter` is no name
 */
export function ticket(options: TicketOptions = {}): TicketMethod {
  const parameter = checkedParameter('ticket', options.parameter ?? defaultParameters.ticket)
  return { name: 'ticket', ambient: false, http: false, parameter, carrier: queryCarrier(parameter), options }
}

/** Options of {@link query}. */
export interface QueryOptions<I extends Identity> extends BearerOptions<I> {
  /**
   * Accept tokens that live longer than 60 seconds. URLs are written to access logs, proxies and crash reports, and who
   * reads one there can use the token until it expires. Default `false`.
   */
  readonly dangerouslyAllowLongLived?: boolean
  /** The name of the query parameter. Default `token`. */
  readonly parameter?: string
}

const maxQueryLifetime = 60_000

/**
 * `?token=…`: a token whose whole life (`exp` − `iat`) is 60 seconds at most.
 *
 * @throws ConfigurationError when `parameter` is no name
 */
export function query<I extends Identity>(options: QueryOptions<I>): Method<I, false> {
  const { verify, dangerouslyAllowLongLived = false } = options
  const parameter = checkedParameter('query', options.parameter ?? defaultParameters.query)
  const { recall } = verify
  const shortLived: Verifier<I> = Object.assign(
    (credential: string, context: VerifyContext) => andThen(verify(credential, context), onlyShortLived),
    recall && {
      recall(credential: string, now: number) {
        const known = recall(credential, now)
        return known && onlyShortLived(known)
      },
    },
    { maxLifetime: maxQueryLifetime },
  )
  return {
    name: 'query',
    ambient: false,
    http: false,
    parameter,
    carrier: queryCarrier(parameter),
    verify: dangerouslyAllowLongLived ? verify : shortLived,
  }
}

function onlyShortLived<I extends Identity>(answer: Verification<I>): Verification<I> {
  const verification = checkedAnswer(answer)
  if (isRejected(verification)) return verification
  const { issuedAt = Number.NEGATIVE_INFINITY, expiresAt = Number.POSITIVE_INFINITY } = verification
  const lifetime = expiresAt - issuedAt
  if (lifetime <= maxQueryLifetime) return verification
  return rejected(
    'credential-lifetime',
    `lives ${seconds(lifetime)} by query, where ${seconds(maxQueryLifetime)} are allowed`,
  )
}

/** `Authorization: Bearer …` (RFC 6750 section 2.1): React Native, servers, the command line. */
export function header<I extends Identity>({ verify }: BearerOptions<I>): Method<I, false> {
  return { name: 'header', ambient: false, http: true, carrier: headerCarrier, verify }
}

/** Options of {@link cookie}. */
export interface CookieOptions<I extends Identity> {
  /**
   * The cookie's name. With the prefix `__Host-` no sibling domain can plant one (RFC 6265bis section 4.1.3). Where the name
   * varies, a pattern that all of it has to match. Chunks such as `name.0` belong to it: Auth.js, Supabase and others write
   * what is too large for one cookie into several.
   */
  readonly name: string | RegExp
  /** Says whose the cookie's value is. */
  readonly verify: Verifier<I>
}

/**
 * A cookie that the site's login has set. Needs the guard's `origins`, because browsers send it for every page.
 *
 * @throws ConfigurationError when `name` cannot be one (RFC 6265 section 4.1.1), or is a pattern that remembers
 */
export function cookie<I extends Identity>({ name, verify }: CookieOptions<I>): Method<I, true> {
  return {
    name: 'cookie',
    ambient: true,
    http: true,
    carrier: cookieCarrier(checkedCookieName('cookie', 'name', name)),
    verify,
  }
}

/**
 * `Sec-WebSocket-Protocol: <application's>, sallyport.bearer.<base64url>`: browsers that cannot fetch a ticket first.
 * Needs the guard's `protocols`.
 */
export function subprotocol<I extends Identity>({ verify }: BearerOptions<I>): Method<I, false> {
  return { name: 'subprotocol', ambient: false, http: false, carrier: subprotocolCarrier, verify }
}

/** Options of {@link firstMessage}. */
export interface FirstMessageOptions<I extends Identity> extends BearerOptions<I> {
  /** How long the guard waits for the message from the 101 on, in milliseconds. Default 5,000; traffic does not extend it. */
  readonly timeout?: number
}

/**
 * `{"type":"auth","token":"…"}` after the 101: anonymous-first applications, and tokens too large for a header.
 *
 * @throws ConfigurationError when `timeout` is no number above zero
 */
export function firstMessage<I extends Identity>(options: FirstMessageOptions<I>): MessageMethod<I> {
  const { verify } = options
  const timeout = checkedNumber('firstMessage', 'timeout', options.timeout ?? 5_000, 1, longestDelay)
  return { name: 'message', ambient: false, http: false, carrier: messageCarrier, verify, timeout }
}
