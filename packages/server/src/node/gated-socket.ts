import { type RawData, WebSocket } from 'ws'
import type { Transport } from '../connections/transport.js'

/** A message as ws emits it. */
export type Message = readonly [data: RawData, isBinary: boolean]

/** Takes the messages of a socket in place of the application. */
export type Receive = (message: Message) => void

/** What looks after the messages that are sent. */
export interface SendGuard {
  /** Asked before each; it closes the socket when it answers no. */
  readonly isOpen: () => boolean
  /** How many bytes may wait for a peer that reads slowly. */
  readonly maxBufferedBytes: number
  /** Told behind each with which more wait, and behind a ping of the peer, whose pong waits too. */
  readonly onFull: () => void
}

const maxHeldBytes = 65_536

/**
 * A ws socket whose messages come to us first. They are dropped until somebody says what becomes of them, and for ever
 * once the gate is shut: `close()` alone would go on delivering what the peer sends.
 */
export class GatedSocket implements Transport {
  readonly webSocket: WebSocket
  readonly #emit: WebSocket['emit']
  #receive: Receive = ignore
  #isShut = false
  #isPaused = false

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket
    const { emit } = webSocket
    this.#emit = emit
    const take = (message: Message) => this.#receive(message)
    webSocket.emit = function gatedEmit(event: string | symbol, ...args: unknown[]): boolean {
      if (event !== 'message') return Reflect.apply(emit, webSocket, [event, ...args])
      take(args as unknown as Message)
      return true
    }
    // A frame that breaks the protocol is an error event, which ends the process when nobody listens.
    webSocket.on('error', ignore)
  }

  /** Says what becomes of messages from now on. */
  onMessage(receive: Receive): void {
    if (!this.#isShut) this.#receive = receive
  }

  /** Keeps messages in `kept` for later; what is more than 64 KiB waits at the peer. */
  hold(kept: Message[]): void {
    let bytes = 0
    this.onMessage((message) => {
      kept.push(message)
      bytes += (message[0] as Buffer).length
      if (bytes > maxHeldBytes) this.pause()
    })
  }

  /** Gives the application a message. */
  deliver(message: Message): void {
    Reflect.apply(this.#emit, this.webSocket, ['message', ...message])
  }

  /** Looks after what is sent from now on. */
  guardSends({ isOpen, maxBufferedBytes, onFull }: SendGuard): void {
    const { webSocket } = this
    const { send } = webSocket
    const look = () => {
      if (webSocket.bufferedAmount > maxBufferedBytes) onFull()
    }
    webSocket.on('ping', look)
    webSocket.send = function gatedSend(...args: unknown[]): void {
      // ws itself drops what is sent behind a Close, and tells the callback.
      isOpen()
      Reflect.apply(send, webSocket, args)
      look()
    }
  }

  get isOpen(): boolean {
    return this.webSocket.readyState === WebSocket.OPEN
  }
  get bufferedAmount(): number {
    return this.webSocket.bufferedAmount
  }
  send(text: string): void {
    this.webSocket.send(text, ignore)
  }
  pause(): void {
    this.#isPaused = true
    this.webSocket.pause()
  }
  resume(): void {
    // What the application paused stays so.
    if (this.#isPaused) this.webSocket.resume()
    this.#isPaused = false
  }
  shut(): void {
    this.#receive = ignore
    this.#isShut = true
  }
  close(code: number, reason: string): void {
    this.webSocket.close(code, reason)
  }
  terminate(): void {
    this.webSocket.terminate()
  }
  onClose(callback: () => void): void {
    if (this.webSocket.readyState === WebSocket.CLOSED) callback()
    else this.webSocket.once('close', callback)
  }
}

const ignore = () => {}
