import { type ClientOptions, WebSocket } from 'ws'

/** What came of a handshake: an HTTP status, or a socket. */
export type Knock = { readonly status: number } | { readonly status: 101; readonly client: Client }

/** A socket that keeps what it hears from its first byte on. */
export class Client {
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #socket: WebSocket
  readonly #heard: (string | Buffer)[] = []
  #wake = () => {}

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer, isBinary) => {
      this.#heard.push(isBinary ? data : data.toString())
      this.#wake()
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  /** The next message, text parsed as JSON. */
  async next(): Promise<unknown> {
    while (this.#heard.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const message = this.#heard.shift()
    return typeof message === 'string' ? JSON.parse(message) : message
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data)
  }

  close(): void {
    this.#socket.close()
  }
}

/** Knocks at `url`. */
export async function knock(url: string, options: ClientOptions = {}, protocols: string[] = []): Promise<Knock> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), protocols, options)
  const client = new Client(socket)
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ status: 101, client }))
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0 })
      socket.terminate()
    })
    socket.on('error', reject)
  })
}

/** Knocks where the answer must be a 101. */
export async function enter(...args: Parameters<typeof knock>): Promise<Client> {
  const knocked = await knock(...args)
  if (!('client' in knocked)) throw new Error(`refused with ${knocked.status}`)
  return knocked.client
}
