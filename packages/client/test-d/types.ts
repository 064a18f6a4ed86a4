import {
  auto,
  type Credential,
  firstMessage,
  GuardedSocket,
  header,
  type Kind,
  type Outcome,
  type ReconnectingEvent,
  staticCredential,
  subprotocol,
  type TerminalEvent,
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
  expectTrue<Equals<typeof reason, 'first' | 'reconnect' | 'rejected' | 'expired'>>()
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
