import { errorMonitor } from 'node:events'
import type { Duplex } from 'node:stream'
import { type RawData, WebSocket, type WebSocketServer } from 'ws'
import type { Gate, Receiver, SendGuard } from '../../connections/accepted-socket.js'
import type { CloseListener } from '../../connections/transport.js'
import type { Wire } from '../../connections/wire.js'
import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import { limitRest } from '../node/rest.js'

/** A message as ws emits it. */
export type Message = readonly [data: RawData, isBinary: boolean]

const gate = Symbol('gate')
const deliver = Symbol('deliver')
const read = Symbol('read')

/** A WebSocket of a server whose sockets can be gated. */
interface GateableWebSocket extends WebSocket {
  [gate]?: GatedSocket
  /** Emits a message around the gate. */
  [deliver](message: Message): void
  /** Reads from the peer or does not, whoever wants it. */
  [read](on: boolean): void
}

/** Lets the sockets that a server makes from now on be gated. Those that are not stay what they were. */
export function makeGateable({ options }: WebSocketServer): void {
  const { WebSocket: Base = WebSocket } = options
  if (deliver in Base.prototype) return
  // Methods of a class and not of each socket, because there are many sockets.
  options.WebSocket = class GatedWebSocket extends Base implements GateableWebSocket {
    [gate]?: GatedSocket

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const gated = this[gate]
      if (!gated) return super.emit(event, ...args)
      if (event === 'message') {
        gated.take(args as unknown as Message)
        return true
      }
      if (event === 'close') gated.closed()
      else if (event === 'pong') gated.answered()
      // A frame that breaks the protocol is an error event, which ends the process when nobody listens.
      if (event === 'error' && this.listenerCount(event) === 0) return super.emit(errorMonitor, ...args)
      const isHeard = super.emit(event, ...args)
      if (event === 'ping') gated.sends?.afterSend()
      return isHeard
    }

    override send(...args: unknown[]): void {
      const sends = this[gate]?.sends
      // ws itself drops what is sent behind a Close, and tells the callback.
      sends?.beforeSend()
      Reflect.apply(super.send, this, args)
      sends?.afterSend()
    }

    override pause(): void {
      if (this[gate]) this[gate].pausedByApplication(true)
      else super.pause()
    }

    override resume(): void {
      if (this[gate]) this[gate].pausedByApplication(false)
      else super.resume()
    }

    [read](on: boolean): void {
      if (on) super.resume()
      else super.pause()
    }

    [deliver]([data, isBinary]: Message): void {
      super.emit('message', data, isBinary)
    }
  }
}

/** The gate of a socket that has one. */
export const gateOf = (socket: object | undefined): GatedSocket | undefined =>
  (socket as GateableWebSocket | undefined)?.[gate]

/**
 * A ws socket whose messages come to us first. They are dropped until somebody says what becomes of them, and for ever
 * once the gate is shut: `close()` alone would go on delivering what the peer sends.
 */
export class GatedSocket implements Gate<Message> {
  readonly webSocket: WebSocket
  readonly dialect: Dialect
  readonly #socket: Duplex
  sends: SendGuard | undefined
  #receiver: Receiver<Message> = nobody
  #isShut = false
  #isPaused = false
  #isPausedByApplication = false
  #closeListener: CloseListener | undefined
  /** The last ping, until its answer has come. */
  #ping: Ping | undefined

  /**
   * @param webSocket one that a server made after {@link makeGateable}
   * @param socket the one below it
   */
  constructor(webSocket: WebSocket, socket: Duplex, dialect: Dialect) {
    this.webSocket = webSocket
    this.#socket = socket
    this.dialect = dialect
    ;(webSocket as GateableWebSocket)[gate] = this
  }

  onMessage(receiver: Receiver<Message>): void {
    if (!this.#isShut) this.#receiver = receiver
  }

  /** Takes a message of the peer. */
  take(message: Message): void {
    this.#receiver.receive(message)
  }

  deliver(message: Message): void {
    ;(this.webSocket as GateableWebSocket)[deliver](message)
  }

  get isOpen(): boolean {
    return this.webSocket.readyState === WebSocket.OPEN
  }
  get bufferedAmount(): number {
    return this.webSocket.bufferedAmount
  }
  send(message: WireMessage): void {
    this.webSocket.send(message, ignore)
  }
  pause(): void {
    this.#isPaused = true
    this.#read()
  }
  resume(): void {
    this.#isPaused = false
    this.#read()
  }
  /** Told that the application pauses the socket, or lets it go on. */
  pausedByApplication(isPaused: boolean): void {
    this.#isPausedByApplication = isPaused
    this.#read()
  }
  shut(): void {
    if (this.#isShut) return
    this.#receiver = nobody
    this.#isShut = true
    limitRest(this.#socket)
    this.#read()
  }
  /** Reads from the peer when neither the guard nor the application has paused it, or what comes is dropped anyway. */
  #read(): void {
    const reads = this.#isShut || !(this.#isPaused || this.#isPausedByApplication)
    if (reads === this.webSocket.isPaused) (this.webSocket as GateableWebSocket)[read](reads)
  }
  close(code: number, reason: string): void {
    this.webSocket.close(code, reason)
  }
  terminate(): void {
    this.webSocket.terminate()
  }
  ping(): void {
    // A clock that jumps leaves the peer no time to answer: that begins once we have read again.
    if (this.#ping?.isUnderWay) return
    const ping: Ping = { bytesRead: bytesReadOf(this.#socket), isUnderWay: true, isAnswered: false }
    this.#ping = ping
    setImmediate(() => {
      ping.isUnderWay = false
      if (ping.isAnswered) this.#ping = undefined
    })
    this.webSocket.ping('', false, ignore)
  }
  /** Told that a pong has come. */
  answered(): void {
    if (!this.#ping) return
    this.#ping.isAnswered = true
    if (!this.#ping.isUnderWay) this.#ping = undefined
  }
  get isSilent(): boolean {
    if (!this.#ping) return false
    // A pong waits behind a long message; and behind all that comes while we do not read.
    const isHeard = bytesReadOf(this.#socket) !== this.#ping.bytesRead || this.webSocket.isPaused
    return !(this.#ping.isUnderWay || this.#ping.isAnswered || isHeard)
  }
  onClose(listener: CloseListener): void {
    this.#closeListener = listener
    if (this.webSocket.readyState === WebSocket.CLOSED) listener.closed()
  }
  /** Tells that the socket is closed. */
  closed(): void {
    this.#closeListener?.closed()
  }
}

/** A ping that was sent. */
interface Ping {
  /** How much had been read by then. */
  readonly bytesRead: unknown
  /** Whether nothing could have been read since. */
  isUnderWay: boolean
  isAnswered: boolean
}

const bytesReadOf = (socket: Duplex): unknown => 'bytesRead' in socket && socket.bytesRead
const ignore = () => {}
const nobody: Receiver<Message> = { receive: ignore }

/** Messages in whatever form the application wants them (`binaryType`). */
export const wire: Wire<Message> = {
  sizeOf([data]) {
    if (Array.isArray(data)) return data.reduce((bytes, part) => bytes + part.length, 0)
    return data instanceof Blob ? data.size : data.byteLength
  },
  has: ([data, isBinary], mark) => !isBinary && Buffer.isBuffer(data) && data.includes(mark),
  read: ([data, isBinary]) => (isBinary ? bytesOf(data) : String(data)),
  write: (message) => [Buffer.from(message), typeof message !== 'string'],
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  // Nobody can look into a Blob at once.
  if (data instanceof Blob) return new Uint8Array()
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
