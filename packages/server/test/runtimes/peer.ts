import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'

/** A socket of another runtime in the words of ws, which the adapters' contract speaks. */
export class Peer extends EventEmitter {
  readonly #send: (data: string | Uint8Array) => void

  constructor(send: (data: string | Uint8Array) => void) {
    super()
    this.#send = send
  }

  /** The same as a handler takes it. */
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket
  }

  send(data: string | Buffer, { binary = typeof data !== 'string' } = {}): void {
    this.#send(binary ? data : String(data))
  }

  take(data: string | Uint8Array | ArrayBuffer): void {
    const bytes = data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data as string)
    this.emit('message', bytes, typeof data !== 'string')
  }
}
