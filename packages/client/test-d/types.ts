import {
  appPresence,
  auto,
  type Clock,
  type Credential,
  debug,
  firstMessage,
  GuardedSocket,
  header,
  type Kind,
  type Lifecycle,
  type LocksLike,
  lifecycle,
  messages,
  type Outcome,
  type Presence,
  pagePresence,
  type ReconnectingEvent,
  type Renewal,
  renewal,
  type SocketState,
  shared,
  stateOf,
  staticCredential,
  subprotocol,
  type TerminalEvent,
  type TokenSource,
  ticket,
  token,
  webSocketClass,
} from '@sallyport/client'
import { WebSocket as WsWebSocket } from 'ws'

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function expectTrue<T extends true>(): T
declare function takesWebSocket(socket: WebSocket): void
declare function takesWebSocketClass(Class: typeof WebSocket): void

const getToken = async () => 'token'

// A GuardedSocket is a WebSocket, and the made class a WebSocket class.
const socket = new GuardedSocket('wss://api.example.com/ws', { credential: ticket('/ws/ticket') })
takesWebSocket(socket)
takesWebSocketClass(webSocketClass({ credential: ticket('/ws/ticket'), reconnect: false }))
// @ts-expect-error the socket's own constructor takes options, not subprotocols
takesWebSocketClass(GuardedSocket)
webSocketClass({ credential: ticket('/ws/ticket'), onTerminal: ({ kind }) => expectTrue<Equals<typeof kind, Kind>>() })
// @ts-expect-error subprotocols come from the library that makes the sockets
webSocketClass({ credential: ticket('/ws/ticket'), protocols: ['chat'] })

// A credential is named, and comes from a function.
new GuardedSocket('wss://api.example.com/ws', { credential: header(getToken) })
new GuardedSocket('wss://api.example.com/ws', { credential: header(staticCredential('key')) })
// @ts-expect-error there is no socket without a credential
new GuardedSocket('wss://api.example.com/ws', {})
// @ts-expect-error a bare string is no credential
new GuardedSocket('wss://api.example.com/ws', { credential: 'token' })
// @ts-expect-error a function without its carrier is no credential
new GuardedSocket('wss://api.example.com/ws', { credential: getToken })
// @ts-expect-error a source without its carrier is no credential
new GuardedSocket('wss://api.example.com/ws', { credential: staticCredential('key') })
// @ts-expect-error a bare string is no source
header('token')
// @ts-expect-error a bare string is no source
token('token')
// @ts-expect-error a bare string is no source
firstMessage('token')
// @ts-expect-error a bare string is no source
subprotocol('token')
// @ts-expect-error a bare string is no source
ticket('/ws/ticket', { token: 'token' })
// @ts-expect-error a bare string is no source
auto({ token: 'token', ticket: '/ws/ticket' })

// A source may say that nobody is logged in.
token(() => null)
token(async () => undefined)
token(async ({ reason, signal }) => {
  expectTrue<Equals<typeof reason, 'first' | 'reconnect' | 'rejected' | 'expired' | 'renewal'>>()
  expectTrue<Equals<typeof signal, AbortSignal>>()
  return 'token'
})
// @ts-expect-error a source returns text
token(() => 7)

// The classes of the runtime and of `ws` fit.
const credential: Credential = ticket(getToken)
new GuardedSocket(new URL('wss://api.example.com'), { credential, WebSocket })
new GuardedSocket('wss://api.example.com', { credential, WebSocket: WsWebSocket, protocols: ['chat'] as const })
// @ts-expect-error this makes no sockets
new GuardedSocket('wss://api.example.com', { credential, WebSocket: URL })
// @ts-expect-error on or off, or how
new GuardedSocket('wss://api.example.com', { credential, reconnect: true })

// Events are typed, the handlers as a WebSocket's.
socket.addEventListener('terminal', (event) => {
  expectTrue<Equals<typeof event, TerminalEvent>>()
  expectTrue<Equals<typeof event.outcome, Outcome>>()
  const kind: Kind = event.outcome.kind
  // @ts-expect-error there is no such kind
  if (kind === 'rate-limited') return
})
socket.addEventListener('reconnecting', (event) => {
  expectTrue<Equals<typeof event, ReconnectingEvent>>()
  expectTrue<Equals<typeof event.delayMs, number>>()
})
socket.addEventListener('authenticated', ({ userId, expiresIn }) => {
  expectTrue<Equals<typeof userId, string | undefined>>()
  expectTrue<Equals<typeof expiresIn, number | undefined>>()
})
socket.addEventListener('close', ({ code, reason, wasClean }) => {
  expectTrue<Equals<[typeof code, typeof reason, typeof wasClean], [number, string, boolean]>>()
})
socket.onmessage = (event: MessageEvent) => event.data
socket.onclose = (event: CloseEvent) => event.code
socket.onopen = function () {
  takesWebSocket(this)
}
socket.removeEventListener('terminal', () => {})
expectTrue<Equals<typeof socket.readyState, 0 | 1 | 2 | 3>>()
expectTrue<Equals<typeof GuardedSocket.OPEN, 1>>()
// @ts-expect-error as a WebSocket's
socket.readyState = 1
// @ts-expect-error as a WebSocket's
socket.send({ hello: 'world' })

// A renewal is in band with a token alone, or over HTTP with or without one.
expectTrue<Equals<ReturnType<typeof renewal>, Renewal>>()
new GuardedSocket('wss://api.example.com', { credential, renew: renewal(getToken), lifecycle: lifecycle() })
renewal(new URL('https://api.example.com/renew'), { token: getToken, expiresIn: 900 })
renewal('/ws/renew')
// @ts-expect-error a function and options for HTTP do not go together
renewal(getToken, { expiresIn: 900 })
// @ts-expect-error a bare string is no source
renewal('/ws/renew', { token: 'token' })
// @ts-expect-error seconds are a number
renewal('/ws/renew', { expiresIn: '900' })
// @ts-expect-error a function without renewal() is none
new GuardedSocket('wss://api.example.com', { credential, renew: getToken })

// A shared source is a source, and its own is told more.
const source: TokenSource = shared(
  async ({ refreshedElsewhere }) => {
    expectTrue<Equals<typeof refreshedElsewhere, boolean | undefined>>()
    return 'token'
  },
  { name: 'login' },
)
ticket('/ws/ticket', { token: source })
// @ts-expect-error a lock has a name
shared(getToken)
// @ts-expect-error a bare string is no source
shared('token', { name: 'login' })
const locks: LocksLike = navigator.locks
shared(getToken, { name: 'login', locks })

// The platforms fit, and an own one does too.
declare const AppState: {
  currentState: 'active' | 'background' | 'inactive' | 'unknown' | 'extension'
  addEventListener(type: 'change' | 'memoryWarning', listener: (state: string) => void): { remove(): void }
}
expectTrue<Equals<ReturnType<typeof lifecycle>, Lifecycle>>()
lifecycle({ presence: appPresence(AppState) })
// As `@react-native-community/netinfo` declares it.
declare const NetInfo: {
  addEventListener(
    listener: (state: { type: string; isConnected: boolean | null; isInternetReachable: boolean | null }) => void,
  ): () => void
}
lifecycle({ presence: appPresence(AppState, NetInfo) })
lifecycle({ presence: pagePresence(window), hiddenMs: 60_000, asleepMs: 60_000 })
const presence: Presence = { online: true, visible: true, subscribe: () => () => {} }
lifecycle({ presence })
// @ts-expect-error it must say when it changes
lifecycle({ presence: { online: true, visible: true } })

// The state is a store: of React's useSyncExternalStore, and of Svelte.
const store = stateOf(socket)
declare function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, snapshot: () => T): T
expectTrue<Equals<ReturnType<typeof useSyncExternalStore<SocketState>>, SocketState>>()
export const useStatus = () => useSyncExternalStore(store.subscribe, store.snapshot).status
const { status, outcome, attempt, delayMs } = store.snapshot()
expectTrue<Equals<typeof status, 'connecting' | 'open' | 'reconnecting' | 'closing' | 'closed'>>()
expectTrue<Equals<typeof outcome, Outcome | undefined>>()
expectTrue<Equals<typeof attempt | typeof delayMs, number | undefined>>()

// Whoever is stuck looks at the console, or at a log of its own.
new GuardedSocket('wss://api.example.com', { credential, debug: debug() })
webSocketClass({ credential, debug: debug({ debug: () => {}, warn: () => {} }) })

// Messages are read in a loop.
for await (const event of messages(socket)) expectTrue<Equals<typeof event, MessageEvent>>()

// A clock need not tell the time.
const clock: Clock = { after: () => () => {} }
new GuardedSocket('wss://api.example.com', { credential, clock })
