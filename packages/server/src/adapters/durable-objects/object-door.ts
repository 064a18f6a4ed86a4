import { AcceptedSocket } from '../../connections/accepted-socket.js'
import type { Connection } from '../../connections/connection.js'
import type { Sleepers } from '../../connections/connections.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import type { Dialect } from '../../dialects/dialect.js'
import type { Guard } from '../../guard/guard.js'
import type { RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import { everybody, keyOf } from '../../revocation/revocations.js'
import type { Target } from '../../revocation/target.js'
import type { ObjectState, RuntimeWebSocket, SocketPair } from '../../support/cloudflare.js'
import { bufferOf, dataWire } from '../fetch/data.js'
import { FetchRoute } from '../fetch/fetch-route.js'
import type { Passage } from '../fetch/passage.js'
import type { FetchRouteOptions } from '../fetch/route-options.js'
import { addressOf, upgraded } from '../workers/upgraded.js'
import { ObjectAlarm } from './object-alarm.js'
import { attachmentOf, keyPrefix, recordIn } from './object-attachment.js'
import { type GateOwner, ObjectGate, type ObjectMessage, tagOf } from './object-gate.js'
import { ObjectNews } from './object-news.js'

/** Hooks of the application about its sockets: those that were accepted. */
export interface SocketHooks<I extends Identity> {
  /** A socket was accepted. While it answers a promise that has not settled, its messages wait. */
  onConnect(socket: RuntimeWebSocket, connection: Connection<I>): unknown
  onMessage(socket: RuntimeWebSocket, message: ObjectMessage, connection: Connection<I>): unknown
  /** A socket is gone: told once of each. */
  onClose(socket: RuntimeWebSocket, connection: Connection<I>, code: number, reason: string): unknown
}

const untaggedKey = `${keyPrefix}untagged`

/** The guarded sockets of an object, which are there when its memory is gone. */
export class ObjectDoor<I extends Identity> implements GateOwner<I>, Sleepers {
  readonly ctx: ObjectState
  readonly dialect: Dialect
  readonly #guard: Guard<I>
  readonly #hooks: SocketHooks<I>
  readonly #route: FetchRoute<I, ObjectMessage>
  /** The gates in memory. */
  readonly #gates = new Map<RuntimeWebSocket, ObjectGate<I>>()
  readonly #alarm: ObjectAlarm
  readonly #news: ObjectNews<I>
  /** How many events of sockets wait until it is known what is revoked: those that come meanwhile are behind them. */
  #late = 0

  /** @throws ConfigurationError when an option cannot work */
  constructor(
    guard: Guard<I>,
    ctx: ObjectState,
    hooks: SocketHooks<I>,
    options: FetchRouteOptions<I, RoutePath, ObjectMessage>,
  ) {
    this.#guard = guard
    this.ctx = ctx
    this.#hooks = hooks
    this.#alarm = new ObjectAlarm(ctx)
    this.#news = new ObjectNews(guard, ctx.storage)
    this.#route = new FetchRoute('guardedObject', guard, options, dataWire(bufferOf), () => this.#news.ask())
    this.dialect = this.#route.dialect
    liveConnections(guard).sleepers = this
  }

  get holds(): boolean {
    return this.#news.holds
  }

  /** The sockets of which neither side has begun to close: a gone one is left to {@link closed}, which tells of it. */
  #open(tag?: string): RuntimeWebSocket[] {
    return this.ctx.getWebSockets(tag).filter(({ readyState }) => readyState === 1)
  }

  async fetch(request: Request): Promise<Response | undefined> {
    const answer = await this.#route.fetch(request, addressOf(request), (passage, protocol) =>
      this.#complete(passage, protocol),
    )
    if (answer?.status === 101 && this.#open().length > 0) await this.#news.follow()
    return answer
  }

  #complete(passage: Passage<I, ObjectMessage>, protocol: string | undefined): Response {
    const { WebSocketPair } = globalThis as unknown as { readonly WebSocketPair: SocketPair }
    const { 0: client, 1: socket } = new WebSocketPair()
    const gate = new ObjectGate<I>(this, socket)
    this.#gates.set(socket, gate)
    passage.arrive({
      gate,
      options: this.#route.messages,
      handOver: (connection) => {
        gate.begin(connection)
        return this.#hooks.onConnect(socket, connection)
      },
    })
    gate.accept()
    return upgraded(client, protocol)
  }

  /** A message has come, which may have woken the object. */
  async take(socket: RuntimeWebSocket, message: ObjectMessage): Promise<void> {
    const isKnown = this.#isInTurn(socket) || (await this.#turn())
    this.#awaken(socket, isKnown)?.take(message)
  }

  /** A socket is gone. */
  async closed(socket: RuntimeWebSocket, code: number, reason: string): Promise<void> {
    if (!this.#isInTurn(socket)) await this.#turn()
    const gate = this.#gateOf(socket)
    // Older runtimes leave the answer to us.
    if (socket.readyState === 2) socket.close(1000)
    if (gate) {
      this.gone(gate, code, reason)
      gate.shut()
      gate.closed()
    }
    await this.#settle()
  }

  gone(gate: ObjectGate<I>, code: number, reason: string): void {
    const { socket, connection } = gate
    if (!this.#gates.delete(socket) || !connection) return
    this.#tell(gate, () => this.#hooks.onClose(socket, connection, code, reason))
  }

  /** An object that has nobody need not be told of news, and keeps nothing. */
  async #settle(): Promise<void> {
    // While anybody is awake, it is not looked for those who sleep.
    if (this.#gates.size > 0 || !this.holds || this.ctx.getWebSockets().some(attachmentOf)) return
    const { kv } = this.ctx.storage
    // Also of sockets that nobody has told it of, because the runtime was ended.
    for (const [key] of [...kv.list({ prefix: keyPrefix })]) kv.delete(key)
    await this.#news.leave()
  }

  /** The time of some connection has come to be looked at. */
  async alarm(): Promise<void> {
    await this.#news.look()
    const now = this.#guard.clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const socket of this.#open()) {
      if (this.#lookAt(socket) <= now) {
        const connection = this.#gateOf(socket)?.connection
        if (connection) liveConnections(this.#guard).look(connection)
      }
      next = Math.min(next, this.#lookAt(socket))
    }
    this.#alarm.taken()
    this.wakeAt(next)
    await this.#settle()
  }

  /** The log has something new. */
  async news(): Promise<void> {
    await this.#news.look(true)
    await this.#settle()
  }

  /** All sockets that are let in, those among them that slept. */
  async connections(): Promise<[socket: RuntimeWebSocket, connection: Connection<I>][]> {
    const isKnown = await this.#news.look()
    return this.#open().flatMap((socket) => {
      const connection = this.#awaken(socket, isKnown)?.connection
      return connection && liveConnections(this.#guard).isOpen(connection) ? [[socket, connection]] : []
    })
  }

  wake(target: Target): void {
    const key = keyOf(target)
    const isTagged = key !== everybody && !this.ctx.storage.kv.get(untaggedKey)
    for (const socket of this.#open(isTagged ? tagOf(key) : undefined)) this.#gateOf(socket)
  }

  wakeAt(time: number): void {
    this.#alarm.wakeAt(time)
  }

  untagged(): void {
    this.ctx.storage.kv.put(untaggedKey, true)
  }

  deliver(socket: RuntimeWebSocket, message: ObjectMessage, connection: LiveConnection<I>): void {
    const gate = this.#gates.get(socket)
    if (gate) this.#tell(gate, () => this.#hooks.onMessage(socket, message, connection))
  }

  fail(connection: LiveConnection<I>, error: unknown): void {
    liveConnections(this.#guard).end(connection, 'internal', { error })
  }

  /** Whether what has come of a socket waits for nothing. */
  #isInTurn(socket: RuntimeWebSocket): boolean {
    return this.#late === 0 && this.#gates.has(socket)
  }

  /** Waits until what is revoked is known, behind all that waits for it. Whether it is. */
  async #turn(): Promise<boolean> {
    this.#late += 1
    const isKnown = await this.#news.look()
    this.#late -= 1
    return isKnown
  }

  #lookAt(socket: RuntimeWebSocket): number {
    const { lookAt = Number.POSITIVE_INFINITY } = this.#gates.get(socket) ?? attachmentOf(socket) ?? {}
    return lookAt
  }

  /** The gate of a socket, whose connection is taken up again where it slept, gone or not. `undefined`: it is over. */
  #gateOf(socket: RuntimeWebSocket): ObjectGate<I> | undefined {
    const known = this.#gates.get(socket)
    if (known) return known
    const attachment = attachmentOf<I>(socket)
    const record = attachment && recordIn(this.ctx, attachment)
    if (!record) return undefined
    const gate = new ObjectGate<I>(this, socket, true)
    this.#gates.set(socket, gate)
    liveConnections(this.#guard).restore(record, gate, (connection) => {
      gate.takeUp(connection, attachment.lookAt)
      new AcceptedSocket<I, ObjectMessage>(this.#route.messages, gate, connection).letIn([])
    })
    return gate
  }

  /** The same for what crosses now: not where it slept, and nobody knows what has been revoked since. */
  #awaken(socket: RuntimeWebSocket, isKnown: boolean): ObjectGate<I> | undefined {
    const gate = this.#gateOf(socket)
    if (!isKnown && gate?.connection) liveConnections(this.#guard).end(gate.connection, 'unavailable')
    return gate
  }

  /** Tells the application. What fails there ends the connection. */
  #tell(gate: ObjectGate<I>, call: () => unknown): void {
    try {
      const done = call()
      if (done instanceof Promise) done.catch((error: unknown) => gate.fail(error))
    } catch (error) {
      gate.fail(error)
    }
  }
}
