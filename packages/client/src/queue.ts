import type { Sendable } from './web-socket-like.js'

/** Thrown by `send()` when more waits for the connection than the socket may keep. The message was not queued. */
export class QueueOverflowError extends Error {
  override readonly name = 'QueueOverflowError'
}

/** How much may wait for the acknowledgement. */
export interface QueueOptions {
  /** In messages. Default 1,000. */
  readonly maxQueuedMessages?: number
  /** In bytes. Default 1 MiB. */
  readonly maxQueuedBytes?: number
}

/**
 * Messages in order, bounded. They wait for the connection; then they are sent, and kept until it is known whether the
 * server heard them.
 */
export interface Queue {
  /** What waits, in bytes. */
  readonly bytes: number
  /** Lets a copy of the message wait, as it is now. Throws a {@link QueueOverflowError} when there is no room for it. */
  push(message: Sendable): void
  /** Sends what waits, and keeps it. */
  flush(send: (message: Sendable) => void): void
  /** Keeps a copy of a message that was sent after these. The first that does not fit is the end: there is no gap. */
  keep(message: Sendable): void
  /** What was sent is forgotten, because the server heard it, or may have; or else it waits again. */
  settle(heard: boolean): void
  clear(): void
}

export function createQueue({ maxQueuedMessages = 1_000, maxQueuedBytes = 2 ** 20 }: QueueOptions): Queue {
  const messages: Sendable[] = []
  let bytes = 0
  let sent = false
  let keeping = false

  function add(message: Sendable): boolean {
    const sum = bytes + sizeOf(message)
    if (sum > maxQueuedBytes || messages.length >= maxQueuedMessages) return false
    messages.push(copyOf(message))
    bytes = sum
    return true
  }

  function clear(): void {
    messages.length = bytes = 0
    sent = keeping = false
  }

  return {
    get bytes() {
      return sent ? 0 : bytes
    },
    push(message) {
      if (!add(message)) throw new QueueOverflowError('Full')
    },
    flush(send) {
      messages.forEach(send)
      sent = keeping = true
    },
    keep(message) {
      keeping &&= add(message)
    },
    settle(heard) {
      if (sent && heard) clear()
      sent = keeping = false
    },
    clear,
  }
}

export function sizeOf(message: Sendable): number {
  if (typeof message === 'string') return new TextEncoder().encode(message).length
  return (message as Partial<Blob>).size ?? (message as ArrayBuffer).byteLength
}

/** The application may reuse its buffer after `send()`. */
function copyOf(message: Sendable): Sendable {
  if (!ArrayBuffer.isView(message)) return message.slice(0)
  return message.buffer.slice(message.byteOffset, message.byteOffset + message.byteLength)
}
