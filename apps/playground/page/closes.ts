import { type Action, codes, outcomeOfClose } from '@sallyport/protocol'

/** Why a connection ended, by its close code. */
const reasons: ReadonlyMap<number, string> = new Map([
  [codes.unauthenticated.close, 'no good credential'],
  [codes.forbidden.close, 'not allowed'],
  [codes.replaced.close, 'a newer connection took its place'],
  [codes.revoked.close, 'revoked'],
  [codes.expired.close, 'the credential has expired'],
  [codes.limited.close, 'too many attempts'],
  [codes.unavailable.close, 'the server cannot tell right now'],
  [codes.restart.close, 'the server restarts'],
  [codes.goingAway.close, 'the server goes away'],
  [codes.badRequest.close, 'the server could not read that'],
  [codes.credentialTooLarge.close, 'the credential or a message was too large'],
  [codes.internal.close, 'the server failed'],
])

const advice: Record<Action, string> = {
  'retry-once': 'Try once more, with a new credential.',
  reconnect: 'Come again at once, with a new credential.',
  jitter: 'Come again in a moment.',
  'back-off': 'Come again later.',
  wait: 'Wait before you come again.',
  stop: 'Do not come again by yourself.',
}

/** What the server said with its Close, in plain words; nothing for a code that is not the guard's. */
export const whyClosed = (close: number): string | undefined => reasons.get(close)

/** The same with what a client should do about it. */
export function explainClose(close: number): string | undefined {
  const why = whyClosed(close)
  return why && `${why}. ${advice[outcomeOfClose(close).action]}`
}
