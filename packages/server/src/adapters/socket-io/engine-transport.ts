import { defaultBufferedBytes } from '../../connections/socket-options.js'
import type { CloseListener, Transport } from '../../connections/transport.js'
import type { WireMessage } from '../../dialects/dialect.js'
import { plain } from '../../dialects/plain.js'
import { type Engine, type Packet, packetTypes, type SocketIoClient } from './internals.js'
import { comesAgain, events, type Outcome } from './words.js'

/** Who decides what becomes of the packets of a connection. */
export interface PacketGuard {
  /** Whether what the application sends may cross now. */
  maySend(): boolean
  /** Told that more waits for a peer that reads slowly than may. */
  onSlow(): void
}

/** A connection of engine.io, whose packets go through a gate of ours. */
export class EngineTransport implements Transport {
  readonly dialect = plain
  readonly #engine: Engine
  readonly #guard: PacketGuard
  #client: SocketIoClient | undefined
  /** The namespaces that the client waits for. */
  readonly #asked = new Set<string>()
  /** How many bytes wait for a transport that takes them. */
  #waiting = 0
  #isShut = false
  #isClosed = false
  #isSpeaking = false
  #closeListener: CloseListener | undefined

  constructor(engine: Engine, guard: PacketGuard) {
    this.#engine = engine
    this.#guard = guard
    engine.on('drain', () => {
      this.#waiting = 0
    })
    engine.once('close', () => this.#onEngineClosed())
    this.#gate('write')
    this.#gate('send')
  }

  /** Drops what must not cross. */
  #gate(method: 'write' | 'send'): void {
    const pass = this.#engine[method]
    this.#engine[method] = (data, ...rest) => {
      if (!this.#isSpeaking && !this.#guard.maySend()) return this.#engine
      this.#waiting += data.length
      pass.call(this.#engine, data, ...rest)
      if (this.bufferedAmount > defaultBufferedBytes) this.#guard.onSlow()
      return this.#engine
    }
  }

  /** Told that a client asks for a namespace. Answers for how many it waits. */
  asks(client: SocketIoClient, namespace: string): number {
    this.#client = client
    return this.#asked.add(namespace).size
  }

  /** Told that it has its answer. */
  answered(namespace: string): void {
    this.#asked.delete(namespace)
  }

  /** Whether it waits for an answer. */
  get isAsking(): boolean {
    return this.#asked.size > 0
  }

  /** Tells the client that it may not enter a namespace. */
  refuse(nsp: string, data: Outcome): void {
    this.#say({ type: packetTypes.connectError, nsp, data: { message: data.reason, data } })
  }

  get isOpen(): boolean {
    return !this.#isShut && this.#engine.readyState === 'open'
  }

  get bufferedAmount(): number {
    return this.#waiting + (this.#engine.transport.socket?.bufferedAmount ?? 0)
  }

  /** Tells all namespaces what the guard says. */
  send(event: WireMessage): void {
    const data: unknown = JSON.parse(String(event))
    for (const { nsp } of this.#sockets) this.#say({ type: packetTypes.event, nsp: nsp.name, data })
  }

  get #sockets() {
    return [...(this.#client?.sockets.values() ?? [])]
  }

  #say(packet: Packet): void {
    this.#isSpeaking = true
    this.#client?._packet(packet)
    this.#isSpeaking = false
  }

  shut(): void {
    this.#isShut = true
  }

  /** Socket.IO has no Close: an event says what it would, and who must not come again is told to disconnect. */
  close(code: number, reason: string): void {
    const outcome: Outcome = { code, reason }
    for (const namespace of this.#asked) this.refuse(namespace, outcome)
    const sockets = this.#sockets
    const isOver = !comesAgain(code)
    for (const { nsp } of sockets) {
      this.#say({ type: packetTypes.event, nsp: nsp.name, data: [events.end, outcome] })
      if (isOver) this.#say({ type: packetTypes.disconnect, nsp: nsp.name })
    }
    // What its listeners say meanwhile finds the gate shut.
    if (isOver) sockets[0]?.disconnect(true)
    this.#engine.close()
  }

  terminate(): void {
    const { transport } = this.#engine
    transport.socket?.terminate()
    this.#engine.close(true)
    // It is closing, and waits for a poll.
    if (this.#engine.readyState !== 'closed') transport.emit('close')
  }

  onClose(listener: CloseListener): void {
    this.#closeListener = listener
    if (this.#isClosed) listener.closed()
  }

  #onEngineClosed(): void {
    const { socket } = this.#engine.transport
    const isAnswering = this.#isShut && socket !== undefined && socket.readyState !== socket.CLOSED
    this.#isShut = true
    // The peer of what we have ended may not answer the Close.
    if (isAnswering) socket.once('close', () => this.#onClosed())
    else this.#onClosed()
  }

  #onClosed(): void {
    this.#isClosed = true
    this.#closeListener?.closed()
  }
}
