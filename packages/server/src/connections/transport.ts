import { type CodeName, codes } from '@sallyport/protocol'
import type { Clock } from '../clock.js'

/** What the core needs of a socket. Each adapter builds one; nothing here may throw, whatever state the socket is in. */
export interface Transport {
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
  /** Calls back once the socket is closed; at once when it already is. */
  onClose(callback: () => void): void
}

const closeGrace = 1_000

/** Who is no longer authenticated must not get what waits in front of the Close either. */
const dropsQueue: ReadonlySet<CodeName> = new Set(['expired', 'revoked', 'forbidden'])

/** Ends a socket: first the gate, then Close, then, after a second, without the peer, who need not answer a Close. */
export function end(transport: Transport, code: CodeName, clock: Clock): void {
  const row = codes[code]
  transport.shut()
  // To see the peer's answer to the Close.
  transport.resume()
  if (dropsQueue.has(code) && transport.bufferedAmount > 0) {
    transport.terminate()
    return
  }
  transport.close('close' in row ? row.close : codes.internal.close, row.reason)
  transport.onClose(clock.after(closeGrace, () => transport.terminate()))
}
