/** A day: whoever asks for longer is mistaken. */
const maxSeconds = 86_400

/**
 * Reads `Retry-After` (RFC 9110 section 10.2.3) as seconds, a day at most. A date is passed over, because only the
 * client's own clock could tell how far away it is.
 */
export function readRetryAfter(value: string | null | undefined): number | undefined {
  return value && /^\d+$/.test(value) ? Math.min(+value, maxSeconds) : undefined
}
