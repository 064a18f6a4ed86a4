import type { Closure } from './outcome.js'
import type { WebSocketLike } from './web-socket-like.js'

/** RFC 6455 section 5.5: a control frame holds 125 bytes, and the code takes two. */
const maxReasonBytes = 123

/** RFC 6455 section 7.1.5: what a Close without a code counts as. It is never sent. */
const noCode = 1005

/**
 * What a browser's `close()` takes: no code, 1000 or 3000–4999, and 123 bytes of reason. Any other code becomes 1000, and a
 * longer reason is cut between characters, because a `close()` that throws leaves the socket open.
 */
export function closeArguments(code = noCode, reason = ''): Closure {
  // Writes whole characters only, so what was read ends between two of them.
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(maxReasonBytes))
  const isFree = code === noCode || (code >= 3000 && code <= 4999)
  return { code: isFree ? code : 1000, reason: reason.slice(0, read), wasClean: true }
}

/** Closes a WebSocket as {@link closeArguments} say. */
export function shut(socket: WebSocketLike | undefined, { code, reason }: Closure): void {
  if (code === noCode) socket?.close()
  else socket?.close(code, reason)
}
