import type { CloseListener, Dialect, Transport } from '@sallyport/server'
import type { Wire } from '../../src/connections/wire.js'
import { plain } from '../../src/dialects/plain.js'

/** A transport without a socket, which writes down what it is told to do to the peer. */
export interface FakeTransport extends Transport {
  /** Calls in their order, such as `send hello` and `close 4001 Authentication failed`. */
  readonly calls: string[]
  /** Whether it reads from the peer. */
  readonly isReading: boolean
  /** The peer or the network ends it. */
  drop(): void
}

/** For messages that are their own text. */
export const texts: Wire<string> = {
  sizeOf: (text) => Buffer.byteLength(text),
  has: (text, mark) => text.includes(mark),
  read: (text) => text,
  write: String,
}

export function fakeTransport(dialect: Dialect = plain): FakeTransport {
  const calls: string[] = []
  let closeListener: CloseListener | undefined
  let isReading = true
  let isClosed = false
  const drop = () => {
    if (isClosed) return
    isClosed = true
    closeListener?.closed()
  }
  const transport = {
    calls,
    drop,
    dialect,
    get isReading() {
      return isReading
    },
    get isOpen() {
      return !isClosed && !calls.some((call) => call.startsWith('close'))
    },
    bufferedAmount: 0,
    send: (message: string | Uint8Array) => void calls.push(`send ${message}`),
    pause: () => {
      isReading = false
    },
    resume: () => {
      isReading = true
    },
    shut: () => {
      calls.push('shut')
      isReading = true
    },
    close: (code: number, reason: string) => void calls.push(`close ${code} ${reason}`),
    terminate: () => {
      calls.push('terminate')
      drop()
    },
    onClose: (listener: CloseListener) => {
      closeListener = listener
      if (isClosed) listener.closed()
    },
  }
  return transport
}
