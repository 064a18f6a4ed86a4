import { type CodeName, codes } from '@sallyport/protocol'
import type { Conversation } from '../../dialects/dialect.js'
import type { Handshake } from '../../handshake/request.js'
import { refusalAnswer } from '../../refusals/http-answer.js'
import type { Auth } from './internals.js'

/** The events of the guard, on each namespace of a client. */
export const events = {
  /** The client brings a newer credential; the acknowledgement says what became of it. */
  renew: 'sallyport:renew',
  /** The credential ends in that many seconds. */
  expiring: 'sallyport:expiring',
  /** The connection ends, and why. */
  end: 'sallyport:end',
} as const

/** What a client is told of a refusal, or of the end: a row of the table of codes. */
export interface Outcome {
  /** The close code that a WebSocket would have. */
  readonly code: number
  readonly reason: string
  /** Seconds to wait before another attempt. */
  readonly retryAfter?: number
}

/** What a client is told of a refusal. */
export function outcomeOf({ code }: { readonly code: CodeName }): Outcome {
  const row = codes[code]
  const retryAfter = refusalAnswer({ code }).headers['Retry-After']
  return {
    code: 'close' in row ? row.close : codes.internal.close,
    reason: row.reason,
    ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }),
  }
}

/** Whether a client that is told a close code should come again by itself. */
export const comesAgain = (close: number): boolean =>
  Object.values(codes).some((row) => 'close' in row && row.close === close && row.action !== 'stop')

/** What the guard says to an accepted client. All else has words of Socket.IO already. */
export const conversation: Conversation = {
  hear: () => undefined,
  hearAgain: () => undefined,
  say: (news) =>
    news.type === 'expiring' ? JSON.stringify([events.expiring, { expiresIn: news.expiresIn }]) : undefined,
}

/** A handshake with the credential that `auth` brings: its `token` as a first message has it, its `ticket` as a URL. */
export function withAuth(handshake: Handshake, { token, ticket }: Auth): Handshake {
  return {
    ...handshake,
    isOpen: true,
    target: ticket === undefined ? handshake.target : withTicket(handshake.target, textOf(ticket)),
    ...(token !== undefined && { message: textOf(token) }),
  }
}

const withTicket = (target: string, ticket: string): string =>
  `${target}${target.includes('?') ? '&' : '?'}${new URLSearchParams({ ticket })}`

// What is no text is malformed, and so is an empty one.
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What the application sees of `auth`. */
export function withoutCredential({ token: _, ticket: __, ...auth }: Auth): Auth {
  return auth
}
