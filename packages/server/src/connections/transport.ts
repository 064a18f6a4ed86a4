import { type CodeName, codes } from '@sallyport/protocol'
import type { Dialect } from '../dialects/dialect.js'
import type { Clock } from '../support/clock.js'

/** Who is told of the end of a socket. */
export interface CloseListener {
  /** Called once the socket is closed. */
  closed(): void
}

/** What the core needs of a socket. Each adapter builds one; nothing here may throw, whatever state the socket is in. */
export interface Transport {
  /** What its route speaks. */
  readonly dialect: Dialect
  /** Whether messages still cross: neither side has begun to close. */
  readonly isOpen: boolean
  /** Sends a text message. */
  send(text: string): void
  /** Stops reading from the peer, so that what it sends waits on its side. */
  pause(): void
  /** Reads again. */
  resume(): void
  /** Shuts the gate: from now on no message of the peer reaches the application. */
  shut(): void
  /** How many bytes wait to be sent, because the peer reads slowly. */
  readonly bufferedAmount: number
  /** Sends Close. */
  close(code: number, reason: string): void
  /** Ends the socket without waiting for the peer. */
  terminate(): void
  /** Says who is told once the socket is closed, in place of whoever was; at once when it already is. */
  onClose(listener: CloseListener): void
}

const closeGrace = 1_000

/** Who is no longer authenticated must not get what waits in front of the Close either. */
const dropsQueue: ReadonlySet<CodeName> = new Set(['expired', 'revoked', 'forbidden'])

/**
 * Ends a socket: first the gate, then Close, then, after a second, without the peer, who need not answer a Close.
 * `listener` is told when it is closed.
 */
export function end(transport: Transport, code: CodeName, clock: Clock, listener?: CloseListener): void {
  const row = codes[code]
  transport.shut()
  // To see the peer's answer to the Close.
  transport.resume()
  if (dropsQueue.has(code) && transport.bufferedAmount > 0) {
    transport.terminate()
    return
  }
  const { closeCodes } = transport.dialect
  transport.close(closeCodes[code] ?? ('close' in row ? row.close : codes.internal.close), row.reason)
  const cancel = clock.after(closeGrace, () => transport.terminate())
  transport.onClose({
    closed() {
      cancel()
      listener?.closed()
    },
  })
}
