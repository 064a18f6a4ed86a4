import type { Closure } from './outcome.js'

/** RFC 6455 section 5.5: a control frame holds 125 bytes, and the code takes two. */
const maxReasonBytes = 123

/**
 * What a browser's `close()` takes: 1000 or 3000–4999, and 123 bytes of reason. Any other code becomes 1000, and a longer
 * reason is cut between characters, because a `close()` that throws leaves the socket open.
 */
export function closeArguments(code = 1000, reason = ''): Closure {
  // Writes whole characters only, so what was read ends between two of them.
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(maxReasonBytes))
  return { code: code >= 3000 && code <= 4999 ? code : 1000, reason: reason.slice(0, read), wasClean: true }
}
