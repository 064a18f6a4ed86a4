import type { Transport } from './transport.js'

// What is more waits on the side of the peer,
const maxMessages = 32
const maxBytes = 65_536
// but for what one read has brought: that is little, unless it was compressed.
const maxLateBytes = 16_777_216

/** Messages that wait for their turn. While they are many, or large, nothing more is read from the peer. */
export class Backlog<M> {
  readonly #transport: Transport
  readonly #sizeOf: (message: M) => number
  readonly #messages: M[] = []
  #bytes = 0
  #lateBytes = 0

  /** @param sizeOf how many bytes a message has */
  constructor(transport: Transport, sizeOf: (message: M) => number) {
    this.#transport = transport
    this.#sizeOf = sizeOf
  }

  /** How many wait. */
  get size(): number {
    return this.#messages.length
  }

  /** The one whose turn it is. */
  get first(): M | undefined {
    return this.#messages[0]
  }

  /** Lets a message wait. `false`: it came, with too many others, after reading was stopped. */
  add(message: M): boolean {
    const size = this.#sizeOf(message)
    if (this.#isFull) this.#lateBytes += size
    if (this.#lateBytes > maxLateBytes) return false
    this.#messages.push(message)
    this.#bytes += size
    if (this.#isFull) this.#transport.pause?.()
    return true
  }

  /** Takes out the one whose turn it is. */
  shift(): M | undefined {
    const message = this.#messages.shift()
    if (message !== undefined) this.#bytes -= this.#sizeOf(message)
    return message
  }

  /** Takes out all of them, and reads again. */
  empty(): M[] {
    this.#bytes = 0
    this.#lateBytes = 0
    this.#transport.resume?.()
    return this.#messages.splice(0)
  }

  get #isFull(): boolean {
    return this.#messages.length >= maxMessages || this.#bytes >= maxBytes
  }
}
