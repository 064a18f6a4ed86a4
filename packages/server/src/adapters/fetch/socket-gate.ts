import type { Receiver, SendGuard } from '../../connections/accepted-socket.js'
import type { CloseListener } from '../../connections/transport.js'
import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import type { PassageGate } from './passage.js'

const maxRest = 65_536

/**
 * A socket whose messages come to us first, whatever its runtime. They are dropped until somebody says what becomes of them,
 * and for ever once the gate is shut. While it is shut, and before anybody looks after what is sent, nothing is. An adapter
 * says how its sockets send, close, and do what not every runtime can.
 */
export abstract class SocketGate<M> implements PassageGate<M> {
  readonly dialect: Dialect
  sends: SendGuard | undefined
  /** There where the runtime can. */
  terminate?(): void
  #receiver: Receiver<M> = nobody
  #count: ((bytes: number) => void) | undefined
  #rest = 0
  #isShut = false
  #isClosing = false
  #isClosed = false
  #closeListener: CloseListener | undefined

  constructor(dialect: Dialect) {
    this.dialect = dialect
  }

  abstract deliver(message: M): void
  abstract readonly bufferedAmount: number
  protected abstract readonly isConnected: boolean
  protected abstract sizeOf(message: M): number
  /** Sends what is ours. */
  protected abstract write(message: WireMessage): void
  protected abstract writeClose(code: number, reason: string): void

  /** Whether the application may send: asked before each of its messages. */
  maySend(): boolean {
    if (this.#isShut || !this.sends) return false
    this.sends.beforeSend()
    return !this.#isShut
  }

  /** Told that something was sent. */
  hasSent(): void {
    this.sends?.afterSend()
  }

  onMessage(receiver: Receiver<M>): void {
    if (!this.#isShut) this.#receiver = receiver
  }

  onBytes(count: (bytes: number) => void): () => void {
    this.#count = count
    return () => {
      this.#count = undefined
    }
  }

  take(message: M): void {
    this.#receiver.receive(message)
    if (this.#isShut) this.takeRest(message)
    else this.#count?.(this.sizeOf(message))
  }

  /** Takes what the peer sends when it is over. */
  protected takeRest(message: M): void {
    this.#rest += this.sizeOf(message)
    if (this.#rest > maxRest) this.terminate?.()
  }

  get isOpen(): boolean {
    return !this.#isClosing && !this.#isClosed && this.isConnected
  }
  send(message: WireMessage): void {
    this.sends?.beforeSend()
    if (!this.isOpen) return
    this.write(message)
    this.hasSent()
  }
  shut(): void {
    if (this.#isShut) return
    this.#receiver = nobody
    this.#isShut = true
    this.whenShut()
  }
  /** Told once that the gate is shut. */
  protected whenShut(): void {}
  close(code: number, reason: string): void {
    if (!this.isOpen) return
    this.#isClosing = true
    this.writeClose(code, reason)
  }
  onClose(listener: CloseListener): void {
    this.#closeListener = listener
    if (this.#isClosed) listener.closed()
  }
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeListener?.closed()
  }
}

const nobody: Receiver<unknown> = { receive() {} }
