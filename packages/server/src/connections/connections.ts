import { type CodeName, encodeFrame, readAuthFrame } from '@sallyport/protocol'
import { withoutCredentials } from '../carriers/query.js'
import type { Clock } from '../clock.js'
import type { Connection } from '../connection.js'
import type { Events } from '../events.js'
import { newId } from '../id.js'
import { type Identity, sameIdentity } from '../identity.js'
import { type Handshake, readTarget, singleHeader } from '../request.js'
import type { Places, Store } from '../stores/store.js'
import type { Accept, Await, Refuse, Verdict } from '../verdict.js'
import { Deadlines } from './deadlines.js'
import { awaitFirstMessage, type FirstMessage } from './first-message.js'
import { Leases } from './leases.js'
import { type ConnectionSource, LiveConnection } from './live-connection.js'
import { Registry } from './registry.js'
import { renewInBand } from './renew-in-band.js'
import { RevocationLog } from './revocation-log.js'
import { type Revocation, type RevocationTarget, revokes } from './revocations.js'
import { end, type Transport } from './transport.js'

/** What the connections of a guard are built on. */
export interface ConnectionsOptions<I extends Identity> {
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  readonly store: Store
  readonly events: Events<I>
  /** The guard's decision about a pending socket, whose message has come. */
  readonly decide: (handshake: Handshake) => Promise<Verdict<I>>
  /** The same about the renewal of a connection, which has its place already. */
  readonly verify: (handshake: Handshake) => Promise<Verdict<I>>
  readonly life: ConnectionLife
  readonly connectionLimit: Places | undefined
  readonly addressOf: (handshake: Handshake) => string
}

/** How long connections live. All in milliseconds. */
export interface ConnectionLife {
  /** How long after the end of its credential a connection is closed. Default 5,000, at most 60,000. */
  readonly leeway: number
  /** How long before the end of its credential a connection that speaks the frames is told. Default 60,000. */
  readonly notice: number
  /** How long a connection lives at most, however often it is renewed. Default 86,400,000: a day. */
  readonly maxAge: number
  /** How long a revocation is kept: no credential may live longer. Default 86,400,000: a day. */
  readonly revocationMemory: number
  /**
   * How long connections live on, and credentials are accepted, by the revocations that are known while the store is out
   * of reach; then 1013 and 503. Default 300,000: five minutes; less than 2,000 counts as that.
   */
  readonly maxStaleness: number
}

/** What became of a revocation. */
export interface Revoked {
  /** How many connections of this node it ended. */
  readonly closed: number
  /** How many nodes have taken it, this one among them; 1 with the memory store. */
  readonly confirmed: number
  /** How many nodes there are. One that was killed a moment ago still counts. */
  readonly nodes: number
}

/** What an adapter tells of a pending socket. */
export interface PendingSocket<I extends Identity, M> {
  readonly handshake: Handshake
  readonly transport: Transport
  /** Called once, when it is accepted. `kept` are the messages to deliver first. */
  readonly onOpen: (connection: LiveConnection<I>, kept: M[]) => void
}

const drainSteps = 20

/** The live connections of a node, iterable; and, for adapters, the way from a verdict to one. */
export class Connections<I extends Identity> implements Iterable<Connection<I>> {
  readonly #registry = new Registry<I>()
  readonly #log: RevocationLog
  readonly #leases: Leases<I> | undefined
  readonly #deadlines: Deadlines<LiveConnection<I>>
  readonly #options: ConnectionsOptions<I>
  /** Sockets that are not closed yet, those among them whose connection is over. */
  #sockets = 0
  readonly #onLastClosed: (() => void)[] = []
  #isDraining = false

  constructor(options: ConnectionsOptions<I>) {
    const { clock, store, life, events, connectionLimit: places } = options
    this.#options = options
    this.#deadlines = new Deadlines(clock, (connection) => this.#onDue(connection))
    this.#log = new RevocationLog({
      store,
      clock,
      memory: life.revocationMemory + life.leeway,
      maxStaleness: life.maxStaleness,
      apply: (revocation) => this.#apply(revocation),
      onState: (state, changed) => {
        if (changed) events.emit({ type: 'store', state })
        if (state === 'unavailable')
          for (const connection of this.#registry.values()) this.end(connection, 'unavailable')
      },
    })
    this.#leases =
      places &&
      new Leases<I>({
        ...options,
        places,
        onReplaced: (ids) => {
          for (const connection of ids) this.#log.revoke({ target: { connection }, code: 'replaced' }).catch(() => {})
        },
        onLost: (connection) => this.end(connection, 'replaced'),
      })
  }

  /** How many there are. */
  get size(): number {
    return this.#registry.size
  }

  /** The connection of that id. */
  get(id: string): Connection<I> | undefined {
    return this.#registry.get(id)
  }

  [Symbol.iterator](): IterableIterator<Connection<I>> {
    return this.#registry.values()
  }

  /** Whether a drain has begun. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** The revocations of all nodes. */
  get log(): RevocationLog {
    return this.#log
  }

  /**
   * Ends what `target` names, here at once and then on all nodes, and refuses it from now on.
   *
   * @throws TypeError when `issuedBefore` is no time
   * @throws UnavailableError when the store could not take it: the other nodes learn of it when it is back
   */
  async revoke(target: RevocationTarget, reason?: string): Promise<Revoked> {
    if (typeof target === 'object' && 'issuedBefore' in target && !Number.isFinite(target.issuedBefore ?? 0)) {
      throw new TypeError(`revoke: issuedBefore is ${target.issuedBefore}; give a time in milliseconds since the epoch`)
    }
    const before = this.size
    const appended = this.#log.revoke({ target, code: 'revoked', ...(reason !== undefined && { reason }) })
    const closed = before - this.size
    const { confirmed, followers: nodes } = await appended
    return { closed, confirmed, nodes }
  }

  #apply(revocation: Revocation): void {
    const { target, code } = revocation
    const byId = typeof target === 'object' && 'connection' in target
    for (const connection of this.#registry.candidates(target)) {
      if (byId || revokes(revocation, connection.accept)) this.end(connection, code, revocation)
    }
  }

  /** Takes a place among the connections of its identity, where they are limited; `undefined` when there is none. */
  async admit(accept: Accept<I>): Promise<Accept<I> | undefined> {
    if (!this.#leases) return accept
    const lease = await this.#leases.take(accept.identity)
    return lease === undefined ? undefined : { ...accept, lease }
  }

  /**
   * Registers the connection of an accepted socket. `undefined` when a revocation, the end of its credential or a drain
   * overtook it, or its identity has enough of them: then it is closed, and the application must not see it.
   */
  open(accept: Accept<I>, handshake: Handshake, transport: Transport): LiveConnection<I> | undefined {
    const { clock, random, events } = this.#options
    const id = accept.lease ?? newId(random)
    const source = sourceOf(handshake, this.#options.addressOf(handshake))
    const connection = new LiveConnection<I>(id, clock.now(), accept, source, transport, this.#onClosed)
    this.#sockets += 1
    this.#registry.add(connection)
    this.#leases?.keep(connection)
    this.#schedule(connection)
    transport.onClose(connection)
    // Registered first, asked again after: a revocation finds it either there or here.
    const revocation = this.#log.find(accept)
    if (revocation) this.end(connection, revocation.code, revocation)
    else if (this.#isDraining) this.end(connection, 'restart')
    if (!this.isOpen(connection)) return undefined
    events.emit({ type: 'accepted', connection })
    return connection
  }

  /** Lets a socket wait between the doors for its first message. */
  wait<M>(wait: Await, { handshake, transport, onOpen }: PendingSocket<I, M>): FirstMessage<M> {
    const { clock, random, events, decide } = this.#options
    const { path, address } = sourceOf(handshake, this.#options.addressOf(handshake))
    return awaitFirstMessage<I, M>({
      wait,
      clock,
      transport,
      decide: (message) => decide({ ...handshake, message }),
      onFail: (reason) => events.emit({ type: 'refused', id: newId(random), reason, path, address }),
      onAccept: (accept, kept) => {
        const connection = this.open(accept, handshake, transport)
        if (!connection) return
        transport.send(this.acknowledge(connection))
        onOpen(connection, kept)
      },
    })
  }

  /** Turns a socket away after the 101. */
  turnAway(verdict: Refuse, transport: Transport): void {
    end(transport, verdict.code, this.#options.clock)
  }

  /**
   * Whether a message may cross now, in either direction. Asked at every message, because the timer of a process that was
   * suspended may be later than the message.
   */
  isOpen(connection: LiveConnection<I>): boolean {
    if (this.#options.clock.now() < connection.deadline) return true
    this.end(connection, 'expired')
    return false
  }

  /**
   * Takes a text message of a connection that authenticated by first message. `true`: it was an `auth` frame, which
   * renews the connection; the application must not see it.
   */
  receive(connection: LiveConnection<I>, text: string): boolean {
    if (readAuthFrame(text) === undefined) return false
    renewInBand(this, connection, text, this.#options.verify).catch((error: unknown) => {
      this.end(connection, 'internal', { error })
    })
    return true
  }

  /** The live connections that a renewal means: the one of that id, or all of the session. */
  find({
    connection,
    session,
  }: {
    connection?: string | undefined
    session?: string | undefined
  }): LiveConnection<I>[] {
    const named =
      connection === undefined ? this.#registry.ofSession(session) : this.#registry.candidates({ connection })
    return named.filter((live) => this.isOpen(live))
  }

  /**
   * Lets a connection live on with a newer credential; one that was issued before the present one changes nothing.
   * `false`: the credential is somebody else's.
   */
  renew(connection: LiveConnection<I>, accept: Accept<I>): boolean {
    const { identity, issuedAt = 0 } = connection.accept
    if (!sameIdentity(accept.identity, identity)) return false
    if ((accept.issuedAt ?? 0) < issuedAt) return true
    this.#registry.remove(connection)
    connection.renew(accept)
    this.#registry.add(connection)
    this.#schedule(connection)
    const revocation = this.#log.find(accept)
    if (revocation) this.end(connection, revocation.code, revocation)
    else this.#options.events.emit({ type: 'renewed', connection })
    return true
  }

  /** How long a connection may live on, in whole seconds; `undefined` when its credential has no end. */
  expiresIn({ expiresAt, since }: LiveConnection<I>): number | undefined {
    if (expiresAt === undefined) return undefined
    const { clock, life } = this.#options
    return Math.max(0, Math.floor((Math.min(expiresAt, since + life.maxAge) - clock.now()) / 1000))
  }

  /** The `auth_ok` of a connection. */
  acknowledge(connection: LiveConnection<I>): string {
    const { id, identity } = connection
    const expiresIn = this.expiresIn(connection)
    return encodeFrame({
      type: 'auth_ok',
      userId: identity.id,
      connection: id,
      ...(expiresIn !== undefined && { expiresIn }),
    })
  }

  /** Closes all connections, spread over `within` milliseconds, and all that come. Resolves when the last is gone. */
  async drain(within: number): Promise<void> {
    const { clock } = this.#options
    this.#isDraining = true
    for (let left = drainSteps; this.size > 0; left -= 1) {
      const some = [...this.#registry.values()].slice(0, Math.ceil(this.size / left))
      for (const connection of some) this.end(connection, 'restart')
      if (this.size > 0) await new Promise<void>((resolve) => clock.after(within / drainSteps, resolve))
    }
    if (this.#sockets > 0) await new Promise<void>((resolve) => this.#onLastClosed.push(resolve))
    await this.#log.stop()
  }

  /** Sets when the gate shuts and, where the peer would understand it, when it is told so. */
  #schedule(connection: LiveConnection<I>): void {
    const { clock, random, life } = this.#options
    const { expiresAt = Number.POSITIVE_INFINITY, since } = connection
    connection.deadline = Math.min(expiresAt + life.leeway, since + life.maxAge)
    connection.noticed = connection.method !== 'message' || expiresAt === Number.POSITIVE_INFINITY
    let due = connection.deadline
    if (!connection.noticed) {
      // Spread over a quarter of the time, so that what was issued together is not renewed together.
      const lead = Math.min(life.notice, (expiresAt - clock.now()) / 2) * (1 - random(1)[0]! / 1024)
      due = Math.min(expiresAt - lead, due)
    }
    this.#deadlines.set(connection, due)
  }

  #onDue(connection: LiveConnection<I>): void {
    if (!this.isOpen(connection)) return
    if (!connection.noticed) {
      connection.noticed = true
      connection.transport.send(encodeFrame({ type: 'auth_expiring', expiresIn: this.expiresIn(connection) ?? 0 }))
    }
    this.#deadlines.set(connection, connection.deadline)
  }

  #isLive(connection: LiveConnection<I>): boolean {
    return this.#registry.get(connection.id) === connection
  }

  #forget(connection: LiveConnection<I>): void {
    // Nothing that still waits to cross may do so.
    connection.deadline = Number.NEGATIVE_INFINITY
    this.#registry.remove(connection)
    this.#deadlines.delete(connection)
    this.#leases?.drop(connection)
  }

  // One function for all, because there are many.
  readonly #onClosed = (connection: LiveConnection<I>): void => {
    this.#sockets -= 1
    this.#forget(connection)
    this.#options.events.emit({ type: 'closed', connection })
    if (this.#sockets === 0) for (const resolve of this.#onLastClosed.splice(0)) resolve()
  }

  /** Ends a connection: gate, Close, then the socket. Does nothing to one that is over. */
  end(connection: LiveConnection<I>, code: CodeName, { error, reason }: Cause = {}): void {
    if (!this.#isLive(connection)) return
    const { clock, events } = this.#options
    this.#forget(connection)
    end(connection.transport, code, clock, connection)
    const cause = { ...(error !== undefined && { error }), ...(reason !== undefined && { reason }) }
    events.emit({ type: 'ended', connection, code, ...cause })
  }
}

/** Why a connection ended, for events. */
interface Cause {
  /** What was thrown. */
  readonly error?: unknown
  /** What the revocation says. */
  readonly reason?: string | undefined
}

function sourceOf(handshake: Handshake, address: string): ConnectionSource {
  const target = readTarget(handshake.target)
  const origin = singleHeader(handshake, 'origin')
  return {
    path: target?.path ?? '',
    query: withoutCredentials(target?.query ?? ''),
    // What is no origin is nobody's to log or compare.
    origin: typeof origin === 'string' && /^[\x21-\x7e]+$/.test(origin) ? origin : undefined,
    address,
  }
}
