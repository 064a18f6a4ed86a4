/**
 * The socket, and the credentials that it presents.
 *
 * @module main
 */

export type { Kind } from '@sallyport/protocol'
export { type Clock, systemClock } from './clock.js'
export { auto } from './credentials/auto.js'
export {
  type Attempt,
  type Authentication,
  type Credential,
  CredentialError,
  type Dialogue,
  type Presentation,
  type Reason,
  type Target,
  type TokenSource,
} from './credentials/credential.js'
export { firstMessage } from './credentials/first-message.js'
export { header } from './credentials/header.js'
export { type TicketOptions, ticket } from './credentials/ticket.js'
export { cookie, staticCredential, subprotocol, type TokenOptions, token } from './credentials/tokens.js'
export { type DebugLog, debug } from './debug.js'
export type { Handler } from './event-handlers.js'
export type {
  AuthenticatedEvent,
  Failure,
  FailureEvent,
  GuardedSocketEventMap,
  ReconnectingEvent,
  TerminalEvent,
  Watched,
} from './events.js'
export { GuardedSocket } from './guarded-socket.js'
export { type LifecycleOptions, lifecycle } from './lifecycle/lifecycle.js'
export {
  type AppStateLike,
  appPresence,
  type Listenable,
  type NetInfoLike,
  type PageLike,
  type Presence,
  pagePresence,
} from './lifecycle/presence.js'
export type { Host, Lifecycle, Live, Renewal, Timing } from './live.js'
export type { LocksLike } from './locks.js'
export { messages } from './messages.js'
export type { GuardedSocketOptions, UrlSource } from './options.js'
export { type Closure, type Ending, type Outcome, SocketError } from './outcome.js'
export { type QueueOptions, QueueOverflowError } from './queue.js'
export type { RenewalOptions } from './renewal/over-http.js'
export { renewal } from './renewal/renewal.js'
export type { ReconnectOptions } from './retry.js'
export { type SharedOptions, shared } from './shared.js'
export { type SocketState, type StateStore, stateOf } from './state.js'
export { type GuardedWebSocketClass, type WebSocketClassOptions, webSocketClass } from './web-socket-class.js'
export type { RefusedUpgrade, Sendable, WebSocketConstructor, WebSocketLike } from './web-socket-like.js'
