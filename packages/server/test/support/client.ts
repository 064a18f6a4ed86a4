import { EventEmitter, once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'

/** How a socket was closed. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** What a client presents. */
export interface ClientCredential extends ClientOptions {
  readonly protocols?: string[]
}

/** A WebSocket client that keeps everything that comes, from the first byte on, so that a test cannot miss any of it. */
export class Client {
  readonly socket: WebSocket
  /** Resolves when the socket is closed. */
  readonly closed: Promise<Closed>
  readonly #messages: Buffer[] = []
  readonly #arrivals = new EventEmitter()
  #isClosed = false

  private constructor(url: string, { protocols, ...options }: ClientCredential) {
    this.socket = new WebSocket(url, protocols, options)
    this.socket.on('error', () => {})
    this.socket.on('message', (data: Buffer) => {
      this.#messages.push(data)
      this.#arrivals.emit('change')
    })
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#isClosed = true
        resolve({ code, reason: reason.toString() })
        this.#arrivals.emit('change')
      })
    })
  }

  /** Opens a socket; rejects when the handshake is refused. */
  static async open(url: string, credential: ClientCredential = {}): Promise<Client> {
    const client = new Client(url, credential)
    await once(client.socket, 'open')
    return client
  }

  /** The next message; rejects when the socket is closed before it came. */
  async next(): Promise<Buffer> {
    while (this.#messages.length === 0) {
      if (this.#isClosed) throw new Error('the socket was closed while a message was awaited')
      await once(this.#arrivals, 'change')
    }
    return this.#messages.shift()!
  }

  /** The next message as text. */
  async text(): Promise<string> {
    return (await this.next()).toString()
  }

  /** What has come and was not taken. */
  get waiting(): number {
    return this.#messages.length
  }

  send(data: string | Buffer): void {
    this.socket.send(data)
  }

  close(): Promise<Closed> {
    this.socket.close()
    return this.closed
  }
}
