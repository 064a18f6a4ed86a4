import type { CloseListener, Transport } from '@sallyport/server'
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

export function fakeTransport(): FakeTransport {
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
    dialect: plain,
    get isReading() {
      return isReading
    },
    get isOpen() {
      return !isClosed && !calls.some((call) => call.startsWith('close'))
    },
    bufferedAmount: 0,
    send: (text: string) => void calls.push(`send ${text}`),
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
