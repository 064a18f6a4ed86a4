import type { Authentication } from './credentials/credential.js'
import type { Closure, Outcome, SocketError } from './outcome.js'

/** The server accepted. Fired before `open`, and before anything queued is sent. */
export interface AuthenticatedEvent extends Event, Authentication {}

/** An attempt failed or a connection was lost, and another attempt follows. */
export interface ReconnectingEvent extends Event {
  readonly outcome: Outcome
  /** Counts from 1 since the last stable connection. */
  readonly attempt: number
  readonly delayMs: number
}

/** The socket gave up, once; `reset()` starts it anew. */
export interface TerminalEvent extends Event {
  readonly outcome: Outcome
}

/** What a `reconnecting` or `terminal` tells. When the socket gave up it has neither `attempt` nor `delayMs`. */
export interface Failure {
  readonly outcome: Outcome
  /** Counts from 1 since the last stable connection. */
  readonly attempt?: number
  readonly delayMs?: number
}

/** An attempt failed, or a connection broke. */
export interface FailureEvent extends Event {
  readonly error: SocketError
  readonly message: string
}

/** The platform's `CloseEvent`, where a library of the project declares one: in Node.js it need not have that of the DOM. */
export type ClosedEvent = typeof globalThis extends { CloseEvent: { prototype: infer T } } ? T : Event & Closure

/** The events of a {@link GuardedSocket}. */
export interface GuardedSocketEventMap {
  open: Event
  message: MessageEvent
  close: ClosedEvent
  error: FailureEvent
  authenticated: AuthenticatedEvent
  reconnecting: ReconnectingEvent
  terminal: TerminalEvent
  statechange: Event
}

/** What an event of the type `K` tells beyond being an event. */
export type Details<K extends keyof GuardedSocketEventMap> = Omit<
  GuardedSocketEventMap[K],
  keyof Event | 'initMessageEvent' | 'lastEventId' | 'ports' | 'source'
>

type Listening = Parameters<EventTarget['addEventListener']>
type Unlistening = Parameters<EventTarget['removeEventListener']>

/** What `debug()` sees of a socket. */
export interface Watched extends GuardedSocketEventTarget {
  readonly url: string
  readonly protocol: string
}

/** An `EventTarget` that knows the events of a {@link GuardedSocket}. */
export interface GuardedSocketEventTarget extends EventTarget {
  addEventListener<K extends keyof GuardedSocketEventMap>(
    type: K,
    listener: (this: WebSocket, event: GuardedSocketEventMap[K]) => unknown,
    options?: Listening[2],
  ): void
  addEventListener(...listening: Listening): void
  removeEventListener<K extends keyof GuardedSocketEventMap>(
    type: K,
    listener: (this: WebSocket, event: GuardedSocketEventMap[K]) => unknown,
    options?: Unlistening[2],
  ): void
  removeEventListener(...listening: Unlistening): void
}
