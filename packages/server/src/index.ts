/**
 * The guard, the ways in and the routes.
 *
 * @module main
 */

export type { CodeName } from '@sallyport/protocol'
export type { Carrier, Reading } from './carriers/carrier.js'
export type { Connection, Connections } from './connections/connection.js'
export type { GuardEvent, Listener } from './connections/events.js'
export type { Authorize } from './connections/inner-door.js'
export type { ConnectionLimit } from './connections/leases.js'
export type { ConnectionLife } from './connections/life.js'
export type { Renewed } from './connections/renewal.js'
export type { Revoked } from './connections/revoking.js'
export type { CloseListener, Transport } from './connections/transport.js'
export type { Conversation, Dialect, Heard, News, Presented, WireMessage } from './dialects/dialect.js'
export { graphqlWs } from './dialects/graphql-ws.js'
export { hocuspocus } from './dialects/hocuspocus.js'
export { mqtt } from './dialects/mqtt.js'
export { stomp } from './dialects/stomp.js'
export { trpc } from './dialects/trpc.js'
export { yjs } from './dialects/yjs.js'
export { createGuard } from './guard/create-guard.js'
export type { Guard, Health } from './guard/guard.js'
export type { Measurement, Work } from './guard/measurements.js'
export type { GuardBaseOptions, GuardOptions, Limits, OriginOptions, Origins } from './guard/options.js'
export type { KnownClient } from './guard/recognition.js'
export type { OriginPolicy } from './handshake/origin.js'
export type { ParamNames, ParamsOf, RoutePath } from './handshake/path.js'
export { fromFetch, fromNode, type Handshake, type PathParams } from './handshake/request.js'
export type { Identity } from './identity.js'
export type { AttemptLimits } from './limits/attempts.js'
export type { PendingLimits, Place } from './limits/pending.js'
export {
  type AnyMethod,
  type BearerOptions,
  type CookieOptions,
  cookie,
  type FirstMessageOptions,
  firstMessage,
  header,
  type IdentityOf,
  type MessageMethod,
  type Method,
  type QueryOptions,
  query,
  subprotocol,
  type TicketMethod,
  ticket,
} from './methods.js'
export { logRefusals, type WriteLine } from './observers/log.js'
export { type Reason, reasons, type VerificationFailure } from './refusals/reasons.js'
export type { RevocationFields, RevocationOf, RevocationTarget } from './revocation/target.js'
export { createRoutes, type Routes, type RoutesOptions } from './routes.js'
export { type MemoryStoreOptions, memoryStore } from './stores/memory.js'
export type {
  Acquired,
  Appended,
  Follower,
  Following,
  Places,
  Store,
  StoreState,
} from './stores/store.js'
export { type Clock, systemClock } from './support/clock.js'
export { type ConfigurationCode, configurationCodes } from './support/configuration-codes.js'
export { ConfigurationError, UnavailableError } from './support/errors.js'
export { hash } from './support/hash.js'
export type { IssuedTicket, TicketOptions } from './tickets.js'
export type { Accept, Answer, Await, MethodName, Recheck, Refuse, Verdict } from './verdict.js'
export type { Admission, Admit, RoutedHandshake } from './verifiers/admit.js'
export { type IntrospectionOptions, type IntrospectionRules, introspection } from './verifiers/introspection.js'
export type { Logout, LogoutVerifier } from './verifiers/logout.js'
export { type OpenSeal, type ReadSeal, type SealedSession, sealed } from './verifiers/sealed.js'
export { type FindSession, type Session, session } from './verifiers/session.js'
export {
  type Known,
  type Recall,
  type Rejected,
  rejected,
  type Subject,
  type Verification,
  type Verified,
  type Verifier,
  type VerifyContext,
  type Vouched,
} from './verifiers/verifier.js'
