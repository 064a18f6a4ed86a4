import { type CodeName, codes } from '@sallyport/protocol'
import type { Dialect, WireMessage } from '../dialects/dialect.js'

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
  /** Sends a message. */
  send(message: WireMessage): void
  /** Stops reading from the peer, so that what it sends waits on its side. Absent where the runtime cannot. */
  pause?(): void
  /** Reads again. There where {@link pause} is. */
  resume?(): void
  /**
   * Shuts the gate: from now on no message of the peer reaches the application. It is read all the same, to see its answer
   * to the Close, but no more of it than 64 KiB: then it is cut off.
   */
  shut(): void
  /** How many bytes wait to be sent, because the peer reads slowly. */
  readonly bufferedAmount: number
  /** Sends Close. */
  close(code: number, reason: string): void
  /**
   * Ends the socket without waiting for the peer. Absent where the runtime cannot: a peer that answers no Close then stays
   * for as long as it likes, and nothing of it is heard.
   */
  terminate?(): void
  /** Sends a ping. Absent where nobody can, or the runtime does so by itself. */
  ping?(): void
  /** Whether nothing has come since the last ping from a peer that could have answered it. */
  readonly isSilent?: boolean
  /** Says who is told once the socket is closed, in place of whoever was; at once when it already is. */
  onClose(listener: CloseListener): void
  /**
   * Told that its connection is to be kept as it is now, and looked at next at `lookAt`, in milliseconds since the epoch; at
   * the time of before where none is given. There where the runtime wakes each socket by itself: then the guard keeps no
   * timer for it, and `look` of the connections is called at that time.
   */
  keep?(lookAt?: number): void
  /** Told that its connection is gone: its socket is, or nobody can end it. */
  gone?(): void
}

/** Lets a socket stay for a moment, until `end` ends it. The returned function tells that it is gone. */
export type Linger = (end: () => void) => () => void

/** Who is no longer authenticated must not get what waits in front of the Close either. */
const dropsQueue: ReadonlySet<CodeName> = new Set(['expired', 'revoked', 'forbidden'])

/**
 * Ends a socket: first the gate, then Close, then, after a while, without the peer, who need not answer a Close.
 * `listener` is told when it is closed.
 */
export function end(transport: Transport, code: CodeName, linger: Linger, listener?: CloseListener): void {
  const row = codes[code]
  transport.shut()
  if (dropsQueue.has(code) && transport.bufferedAmount > 0 && transport.terminate) {
    transport.terminate()
    return
  }
  const gone = linger(() => {
    if (transport.terminate) {
      transport.terminate()
      return
    }
    // What nobody can end is over for us.
    transport.onClose(nobody)
    listener?.closed()
  })
  // Before the Close: some are closed by then.
  transport.onClose({
    closed() {
      gone()
      listener?.closed()
    },
  })
  const { closeCodes } = transport.dialect
  transport.close(closeCodes[code] ?? ('close' in row ? row.close : codes.internal.close), row.reason)
}

const nobody: CloseListener = { closed() {} }
