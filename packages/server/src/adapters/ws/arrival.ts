import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import type { AcceptedSocketOptions, Receiver } from '../../connections/accepted-socket.js'
import type { FirstMessage } from '../../connections/first-message.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Dialect } from '../../dialects/dialect.js'
import type { Guard } from '../../guard/guard.js'
import { fromNode, type Handshake, type PathParams } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import type { Place } from '../../limits/pending.js'
import type { Accept, Await, Refuse, Verdict } from '../../verdict.js'
import type { Admit } from '../../verifiers/admit.js'
import { refuseSocket } from '../node/upgrades.js'
import { complete, completePending, type Upgrade } from './complete.js'
import { type GatedSocket, type Message, wire } from './gated-socket.js'
import { type ConnectionHandler, handOver } from './hand-over.js'

/** What holds for all upgrades of a route. */
export interface ArrivalOptions<I extends Identity> extends AcceptedSocketOptions<I, Message> {
  readonly guard: Guard<I>
  readonly admit?: Admit<I> | undefined
  readonly webSocketServer: WebSocketServer
  readonly dialect: Dialect
  readonly onConnection: ConnectionHandler<I>
}

/** An upgrade of a guarded path, on its way to an open socket, or out again. */
export class Arrival<I extends Identity> implements Upgrade {
  readonly #options: ArrivalOptions<I>
  readonly #handshake: Handshake
  #place: Place | undefined
  #verdict: Verdict<I> | undefined
  #onClose: (() => void) | undefined

  constructor(
    options: ArrivalOptions<I>,
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    readonly head: Buffer,
    params: PathParams,
  ) {
    this.#options = options
    this.#handshake = fromNode(request, params)
  }

  get webSocketServer(): WebSocketServer {
    return this.#options.webSocketServer
  }
  get dialect(): Dialect {
    return this.#options.dialect
  }

  /** Asks the guard, and does as it says: at once, unless the guard has to think. */
  proceed(): void | Promise<void> {
    const { guard, admit } = this.#options
    const place = guard.enter(this.#handshake)
    if ('reason' in place) return this.#refuse(place)
    this.#place = place
    const verdict = guard.decide(this.#handshake, admit)
    if (!(verdict instanceof Promise)) return this.#follow(verdict)
    this.#watch()
    return verdict.then((known) => this.#follow(known))
  }

  #follow(verdict: Verdict<I>): void {
    this.#verdict = verdict
    if (this.socket.destroyed) this.#giveUp()
    else if (verdict.type === 'accept') this.#letIn(verdict)
    else if (verdict.type === 'await') this.#letWait(verdict)
    else if (verdict.by === 'close') this.#turnAway(verdict)
    else this.#refuse(verdict)
  }

  #refuse(verdict: Refuse): void {
    this.#leave()
    refuseSocket(this.socket, this.#options.clock, verdict)
  }

  #letIn(verdict: Accept<I>): void {
    const isOpen = complete(this, verdict, (gated) => {
      this.#leave()
      const connection = this.#options.connections.open(verdict, this.#handshake, gated)
      if (connection) this.#handOver(gated, connection, [])
    })
    if (!isOpen) this.#watch()
  }

  #letWait(verdict: Await): void {
    const { connections, admit, webSocketServer } = this.#options
    const isOpen = completePending(this, verdict, (gated) => {
      this.#unwatch()
      const countBytes = (chunk: Buffer) => firstMessage.count(chunk.length)
      const firstMessage = connections.undecided.wait<Message>(verdict, {
        handshake: this.#handshake,
        admit,
        transport: gated,
        wire,
        onDecided: () => {
          this.#leave()
          this.socket.off('data', countBytes)
        },
        onOpen: (connection, kept) => {
          webSocketServer.clients?.add(gated.webSocket)
          this.#handOver(gated, connection, kept)
        },
      })
      this.#place?.wait(() => firstMessage.evict())
      // The sockets of Bun tell of no bytes: there whole messages count.
      gated.onMessage('Bun' in globalThis ? counting(firstMessage) : firstMessage)
      // Behind the listener of ws, so that a credential in this very chunk has been seen.
      this.socket.on('data', countBytes)
    })
    if (!isOpen) this.#watch()
  }

  #turnAway(verdict: Refuse): void {
    const isOpen = completePending(this, verdict, (gated) => {
      this.#leave()
      this.#options.connections.undecided.turnAway(verdict, gated)
    })
    if (!isOpen) this.#watch()
  }

  #handOver(gated: GatedSocket, connection: LiveConnection<I>, kept: Message[]): void {
    handOver({ gated, connection, request: this.request, kept }, this.#options, this.#options.onConnection)
  }

  /** Gives up when the client leaves: while the guard thinks, and after that, because ws need not complete what it is given. */
  #watch(): void {
    if (this.#onClose) return
    this.#onClose = () => this.#giveUp()
    this.socket.on('close', this.#onClose)
  }

  #unwatch(): void {
    if (this.#onClose) this.socket.off('close', this.#onClose)
    this.#onClose = undefined
  }

  #leave(): void {
    this.#unwatch()
    this.#place?.leave()
  }

  #giveUp(): void {
    this.#leave()
    if (this.#verdict) this.#options.connections.abandon(this.#verdict)
  }
}

/** Counts the bytes of messages. */
const counting = (firstMessage: FirstMessage<Message>): Receiver<Message> => ({
  receive(message) {
    firstMessage.receive(message)
    firstMessage.count(wire.sizeOf(message))
  },
})
