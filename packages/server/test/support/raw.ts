import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A header line; `undefined` leaves the header out. */
export type RawHeaders = Record<string, string | string[] | undefined>

/** The head of a good handshake, with some of its headers changed, repeated (an array) or left out. */
export function rawHandshake(target: string, headers: RawHeaders = {}, requestLine = `GET ${target} HTTP/1.1`): string {
  const all: RawHeaders = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((line) => `${name}: ${line}`),
  )
  return `${[requestLine, ...lines].join('\r\n')}\r\n\r\n`
}

/** A frame of a client, masked with zeros (RFC 6455 section 5.2). */
export function rawFrame(
  payload: string | Buffer,
  { opcode = 1, fin = true }: { opcode?: number; fin?: boolean } = {},
): Buffer {
  const data = Buffer.from(payload)
  const first = (fin ? 0x80 : 0) | opcode
  const length =
    data.length < 126
      ? Buffer.from([first, 0x80 | data.length])
      : data.length < 65_536
        ? Buffer.from([first, 0x80 | 126, data.length >> 8, data.length & 255])
        : Buffer.concat([Buffer.from([first, 0x80 | 127, 0, 0, 0, 0]), uint32(data.length)])
  return Buffer.concat([length, Buffer.alloc(4), data])
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Everything that came, to search in. */
  readonly text: string
}

/** A TCP connection to a server under test. */
export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #pings = 0

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      socket.emit('received')
    })
    socket.on('error', () => {})
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const client = new RawClient(socket)
    await once(socket, 'connect')
    return client
  }

  write(data: string | Buffer): void {
    this.socket.write(data)
  }

  /** Waits until what came satisfies `isThere`, or the peer has ended. */
  until(isThere: (received: Buffer) => boolean): Promise<Buffer> {
    const { socket } = this
    const events = ['received', 'end', 'close']
    return new Promise((resolve) => {
      const check = () => {
        if (!isThere(this.#received) && !socket.readableEnded && !socket.destroyed) return
        for (const event of events) socket.off(event, check)
        resolve(this.#received)
      }
      for (const event of events) socket.on(event, check)
      check()
    })
  }

  /** The head of the response, read without waiting for the peer's FIN. */
  async head(): Promise<RawResponse> {
    return parse((await this.until((received) => received.includes('\r\n\r\n'))).toString('latin1'))
  }

  /** All that comes until the peer sends FIN (or resets). */
  async toEnd(): Promise<RawResponse> {
    return parse((await this.until(() => false)).toString('latin1'))
  }

  /** What came behind the head so far: the frames of the server. */
  frames(): RawFrame[] {
    const start = this.#received.indexOf('\r\n\r\n')
    return start === -1 ? [] : parseFrames(this.#received.subarray(start + 4))
  }

  /** The texts of the server so far. */
  texts(): string[] {
    return this.frames()
      .filter(({ opcode }) => opcode === 1)
      .map(({ payload }) => payload.toString())
  }

  /** Waits for that many texts of the server, or its end. */
  async textsUntil(count: number): Promise<string[]> {
    await this.until(() => this.texts().length >= count)
    return this.texts()
  }

  /** The Close frame of the server, waited for; `undefined` when it ended without one. */
  async closeFrame(): Promise<RawClose | undefined> {
    const isClose = ({ opcode }: RawFrame) => opcode === 8
    await this.until(() => this.frames().some(isClose))
    const payload = this.frames().find(isClose)?.payload
    return payload && { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
  }

  /** Whether the server has sent Close. */
  get isClosed(): boolean {
    return this.frames().some(({ opcode }) => opcode === 8)
  }

  /** Sends a ping and waits for its pong: everything sent before has been read by then. Or the server has closed. */
  async ping(): Promise<void> {
    const mark = `mark ${++this.#pings}`
    this.write(rawFrame(mark, { opcode: 9 }))
    await this.until(() =>
      this.frames().some(({ opcode, payload }) => opcode === 8 || (opcode === 10 && payload.toString() === mark)),
    )
  }

  /** Waits until the connection is gone, by FIN or by reset. */
  async gone(): Promise<void> {
    await this.until(() => false)
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** A Close frame of the server. */
export interface RawClose {
  readonly code: number
  readonly reason: string
}

/** A connection on which the server has answered a handshake, and the head of its answer. */
export async function rawOpen(
  port: number,
  target: string,
  headers?: RawHeaders,
): Promise<{ client: RawClient; head: RawResponse }> {
  const client = await RawClient.connect(port)
  client.write(rawHandshake(target, headers))
  return { client, head: await client.head() }
}

/** A frame of the server. */
export interface RawFrame {
  readonly opcode: number
  readonly payload: Buffer
}

function parseFrames(bytes: Buffer): RawFrame[] {
  const frames: RawFrame[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    let length = bytes[at + 1]! & 0x7f
    let offset = at + 2
    if (length === 126) {
      length = bytes.readUInt16BE(offset)
      offset += 2
    } else if (length === 127) {
      length = bytes.readUInt32BE(offset + 4)
      offset += 8
    }
    if (offset + length > bytes.length) break
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(offset, offset + length) })
    at = offset + length
  }
  return frames
}

function parse(text: string): RawResponse {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end === -1 ? text.length : end).split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const mark = line.indexOf(':')
    headers.set(line.slice(0, mark).toLowerCase(), line.slice(mark + 1).trim())
  }
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? 0)
  return { status, headers, body: end === -1 ? '' : text.slice(end + 4), text }
}

/** The response to one request, on a connection of its own. */
export async function rawRequest(port: number, request: string | Buffer): Promise<RawResponse> {
  const client = await RawClient.connect(port)
  client.write(request)
  const response = await client.toEnd()
  client.destroy()
  return response
}

/**
 * The response to one request, on a connection of its own, as soon as it is whole; with `isLast`, the connection must end
 * behind it.
 */
export async function rawAnswer(port: number, request: string | Buffer, isLast: boolean): Promise<RawResponse> {
  if (isLast) return rawRequest(port, request)
  const client = await RawClient.connect(port)
  client.write(request)
  const isWhole = (received: Buffer) => {
    const { headers, body } = parse(received.toString('latin1'))
    return received.includes('\r\n\r\n') && body.length >= Number(headers.get('content-length'))
  }
  const response = parse((await client.until(isWhole)).toString('latin1'))
  client.destroy()
  return response
}
