import { type Action, type OutcomeCode, outcomeOfClose, outcomeOfStatus } from '@sallyport/protocol'
import type { Outcome } from './outcome.js'

/** What a client of Socket.IO is told, and what to do about it. */
export interface SocketIoOutcome extends Outcome {
  /** What a client does about it. Socket.IO comes again by itself while `socket.active`; else call `socket.connect()`. */
  readonly action: Action
}

/**
 * What a `connect_error` of socket.io-client says, or the `sallyport:end` of a guarded server before it ends the socket.
 * What your own middleware has refused is `closed`, with your error as its `cause`.
 *
 * ```ts
 * socket.on('connect_error', (error) => {
 *   const { kind, action, retryAfter = 5 } = outcomeOf(error)
 *   if (kind === 'unauthenticated') showLogin()
 *   else if (!socket.active && action !== 'stop') setTimeout(() => socket.connect(), retryAfter * 1_000)
 * })
 * socket.on('sallyport:end', (end) => console.log(outcomeOf(end).kind)) // expired, revoked, replaced …
 * ```
 */
export function outcomeOf(told: unknown): SocketIoOutcome {
  const said = readEnd(told) ?? readEnd(fieldOf(told, 'data'))
  if (said) return told instanceof Error ? { ...said, cause: told } : said
  // An error of a middleware has `data`, be it undefined; one of the transport has not.
  if (typeof told === 'object' && told !== null && 'data' in told)
    return { kind: 'closed', action: 'stop', cause: told }
  const status = fieldOf(told, 'description')
  // Polling tells a status, which is 0 without an answer. A WebSocket tells none.
  if (typeof status === 'number' && status > 0) return { ...meaningOf(outcomeOfStatus(status)), status, cause: told }
  return { ...meaningOf(outcomeOfClose(1006)), ambiguous: true, cause: told }
}

const meaningOf = ({ kind, action }: OutcomeCode) => ({ kind, action })

/** `{ code, reason, retryAfter }`, as the guard says it. */
function readEnd(value: unknown): SocketIoOutcome | undefined {
  const [code, reason, retryAfter] = ['code', 'reason', 'retryAfter'].map((name) => fieldOf(value, name))
  if (typeof code !== 'number' || typeof reason !== 'string') return undefined
  return { ...meaningOf(outcomeOfClose(code)), code, ...(typeof retryAfter === 'number' && { retryAfter }) }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
