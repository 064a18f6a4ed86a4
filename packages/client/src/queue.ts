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

/** Messages that wait for the connection, in order and bounded. */
export interface Queue {
  /** What waits, in bytes. */
  readonly bytes: number
  /** Keeps a copy of the message as it is now. Throws a {@link QueueOverflowError} when there is no room for it. */
  push(message: Sendable): void
  /** Takes everything out. */
  take(): Sendable[]
}

export function createQueue({ maxQueuedMessages = 1_000, maxQueuedBytes = 2 ** 20 }: QueueOptions): Queue {
  const messages: Sendable[] = []
  let bytes = 0

  return {
    get bytes() {
      return bytes
    },
    push(message) {
      const sum = bytes + sizeOf(message)
      if (sum > maxQueuedBytes || messages.length >= maxQueuedMessages) {
        throw new QueueOverflowError('Too much waits for the connection')
      }
      messages.push(copyOf(message))
      bytes = sum
    },
    take() {
      bytes = 0
      return messages.splice(0)
    },
  }
}

function sizeOf(message: Sendable): number {
  if (typeof message === 'string') return new TextEncoder().encode(message).length
  return 'size' in message ? message.size : message.byteLength
}

/** The application may reuse its buffer after `send()`. */
function copyOf(message: Sendable): Sendable {
  if (!ArrayBuffer.isView(message)) return message.slice(0)
  const { buffer, byteOffset, byteLength } = message
  return buffer.slice(byteOffset, byteOffset + byteLength)
}
