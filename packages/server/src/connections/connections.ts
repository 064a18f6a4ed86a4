import type { CodeName } from '@sallyport/protocol'
import type { Conversation } from '../dialects/dialect.js'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { grace } from '../limits/lingering.js'
import type { RevocationLog } from '../revocation/log.js'
import type { RevocationTarget, Target } from '../revocation/target.js'
import type { Store } from '../stores/store.js'
import { newId } from '../support/id.js'
import type { Random } from '../support/random.js'
import { type Accept, refuse, type Verdict } from '../verdict.js'
import type { Logout } from '../verifiers/logout.js'
import type { Connection, Connections } from './connection.js'
import { Drain } from './drain.js'
import type { Cause } from './events.js'
import { Expiry } from './expiry.js'
import { Heartbeat } from './heartbeat.js'
import { type ConnectionLimit, Leases } from './leases.js'
import type { ConnectionLife } from './life.js'
import { LiveConnection } from './live-connection.js'
import { Rechecks } from './recheck.js'
import { type ConnectionRecord, revive } from './record.js'
import { Registry } from './registry.js'
import { Renewals, type RenewalsOptions } from './renewals.js'
import { type Revoked, Revoking } from './revoking.js'
import { sourceOf } from './source.js'
import { end, type Transport } from './transport.js'
import { Undecided, type UndecidedOptions } from './undecided.js'

/** What the connections of a guard are built on. */
export interface ConnectionsOptions<I extends Identity> extends UndecidedOptions<I>, RenewalsOptions<I> {
  readonly random: Random
  readonly store: Store
  readonly life: ConnectionLife
  readonly connectionLimit: ConnectionLimit | undefined
}

/** Connections that are not in memory. */
export interface Sleepers {
  /** Restores those that a target may mean: what is asked of them, or done to them, is done to those in memory. */
  wake(target: Target): void
}

/** The live connections of a node: how each opens, lives on and ends. */
export class LiveConnections<I extends Identity> implements Connections<I> {
  /** Those who may become one. */
  readonly undecided: Undecided<I>
  /** What lets one live on. */
  readonly renewals: Renewals<I>
  /** Who has connections of this node that are not in memory. */
  sleepers: Sleepers | undefined
  readonly #registry = new Registry<I>()
  readonly #revoking: Revoking<I>
  readonly #leases: Leases<I> | undefined
  readonly #expiry: Expiry<I>
  readonly #heartbeat: Heartbeat<I> | undefined
  readonly #rechecks: Rechecks<I> | undefined
  readonly #drain: Drain
  readonly #options: ConnectionsOptions<I>

  constructor(options: ConnectionsOptions<I>) {
    const { clock, life, events, connectionLimit: limit } = options
    this.#options = options
    this.undecided = new Undecided(this, options)
    this.#expiry = new Expiry(this, options)
    const { heartbeat: period } = options.life
    const onSilent = (connection: LiveConnection<I>) => {
      this.end(connection, 'goingAway', { reason: 'heartbeat' })
      // Nobody is there to take a Close.
      connection.transport.terminate?.()
    }
    this.#heartbeat = period === 0 ? undefined : new Heartbeat({ ...options, period, onSilent })
    this.#rechecks = life.recheck > 0 ? new Rechecks(this, options) : undefined
    this.renewals = new Renewals(this, this.#rechecks, options)
    this.#drain = new Drain(clock)
    this.#revoking = new Revoking({
      ...options,
      registry: this.#registry,
      wake: (target) => this.sleepers?.wake(target),
      end: (connection, cause) => this.end(connection, 'revoked', cause),
      onState: (state, changed) => {
        if (changed) events.emit({ type: 'store', state })
        if (state === 'unavailable')
          for (const connection of this.#registry.values()) this.end(connection, 'unavailable')
      },
      onQuestion: (question) => {
        this.#leases?.hear(question)
        return this.renewals.answer(question)
      },
    })
    this.#leases =
      limit &&
      new Leases<I>({
        ...options,
        limit,
        tell: (question) => void this.log.ask(question, 0).catch(() => {}),
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
    return this.#drain.hasBegun
  }

  /** The revocations of all nodes. */
  get log(): RevocationLog {
    return this.#revoking.log
  }

  /** {@link Revoking.revoke} */
  revoke(target: RevocationTarget, reason?: string): Promise<Revoked> {
    return this.#revoking.revoke(target, reason)
  }

  /** {@link Revoking.logOut} */
  logOut(logout: Logout): Promise<void> {
    return this.#revoking.logOut(logout)
  }

  /**
   * Takes a place among the connections of its identity, where they are limited; `undefined` when there is none. What
   * comes of it is opened or {@link abandon}ed.
   */
  async takePlace(accept: Accept<I>): Promise<Accept<I> | undefined> {
    if (!this.#leases) return accept
    const lease = await this.#leases.take(accept.identity)
    return lease === undefined ? undefined : { ...accept, lease }
  }

  /** Gives back what a verdict has taken of which no connection comes: its client has left, or was not let through. */
  abandon(verdict: Verdict<I>): void {
    if (verdict.type === 'accept') this.#leases?.abandon(verdict)
  }

  /**
   * Registers the connection of an accepted socket. `undefined` when a revocation, the end of its credential or a drain
   * overtook it, or its identity has enough of them: then it is closed, and the application must not see it.
   */
  open(
    accept: Accept<I>,
    handshake: Handshake,
    transport: Transport,
    conversation?: Conversation,
  ): LiveConnection<I> | undefined {
    const { clock, random, events } = this.#options
    const id = accept.lease ?? newId(random)
    const source = sourceOf(handshake, this.#options)
    const connection = new LiveConnection<I>(id, clock.now(), accept, source, transport, this.#onClosed, conversation)
    this.#drain.opened()
    this.#registry.add(connection)
    const hasPlace = this.#leases?.keep(connection) ?? true
    this.#expiry.set(connection)
    this.#rechecks?.keep(connection)
    transport.onClose(connection)
    // Registered first, asked again after: a revocation finds it either there or here.
    const revocation = this.log.find(accept)
    if (revocation) this.end(connection, 'revoked', revocation)
    else if (!hasPlace) this.end(connection, 'replaced')
    else if (this.isDraining) this.end(connection, 'restart')
    if (!this.isOpen(connection)) return undefined
    this.#heartbeat?.start(connection)
    if (events.areHeard) events.emit({ type: 'accepted', connection })
    return connection
  }

  /**
   * Registers a connection again whose memory was lost, and hands it to `begin` before it may be ended. It is closed when its
   * end or a revocation that is known overtook it, and unseen when what was written down is no connection.
   */
  restore(record: ConnectionRecord<I>, transport: Transport, begin: (connection: LiveConnection<I>) => void): void {
    const connection = this.#revive(record, transport)
    if (!connection) return
    this.#drain.opened()
    this.#registry.add(connection)
    transport.onClose(connection)
    this.#expiry.restore(connection)
    begin(connection)
    const revocation = this.log.find(connection.accept)
    if (revocation) this.end(connection, 'revoked', revocation)
    else this.isOpen(connection)
  }

  #revive(record: ConnectionRecord<I>, transport: Transport): LiveConnection<I> | undefined {
    const { random, events } = this.#options
    try {
      return revive(record, transport, this.#onClosed)
    } catch (error) {
      // The others must not miss their end because of it, nor what was revoked.
      events.emit({ type: 'refused', id: newId(random), reason: 'internal-error', path: '', address: '', error })
      this.undecided.turnAway(refuse('internal-error'), transport)
      return undefined
    }
  }

  /** Looks at a connection whose {@link Transport.keep} has said that its time has come: it is told of its end, or ended. */
  look(connection: LiveConnection<I>): void {
    if (this.#isLive(connection)) this.#expiry.look(connection)
  }

  /**
   * What it takes that a connection stays in memory, by the name of the option of the guard: where the runtime forgets, it
   * cannot be.
   */
  get sleepless(): 'connectionsPerIdentity' | 'life.recheck' | undefined {
    if (this.#leases) return 'connectionsPerIdentity'
    return this.#rechecks && 'life.recheck'
  }

  /**
   * Whether a message may cross now, in either direction. Asked at every message, because the timer of a process that was
   * suspended may be later than the message.
   */
  isOpen(connection: LiveConnection<I>): boolean {
    return this.#expiry.isOpen(connection)
  }

  /** The live connections that a target may mean. */
  find(target: Target): LiveConnection<I>[] {
    this.sleepers?.wake(target)
    return this.#registry.candidates(target).filter((live) => this.isOpen(live))
  }

  /** Lets a connection live on as `accept` says. `false`: a revocation says that it must not. */
  replace(connection: LiveConnection<I>, accept: Accept<I>): boolean {
    const { expiresAt } = connection
    this.#registry.remove(connection)
    connection.renew(accept)
    this.#registry.add(connection)
    // Once more with the same end, its client would be told of it once more.
    if (connection.expiresAt !== expiresAt) this.#expiry.set(connection)
    else connection.transport.keep?.()
    const revocation = this.log.find(accept)
    if (revocation) this.end(connection, 'revoked', revocation)
    return revocation === undefined
  }

  /** How long a connection may live on, in whole seconds; `undefined` when its credential has no end. */
  expiresIn(connection: LiveConnection<I>): number | undefined {
    return this.#expiry.expiresIn(connection)
  }

  /** Closes all connections, spread over `within` milliseconds, and all that come. Resolves when the last is gone. */
  async drain(within: number): Promise<void> {
    this.sleepers?.wake('all')
    await this.#drain.run(this.#registry, within, (connection) => this.end(connection, 'restart'))
    await this.log.stop()
  }

  #isLive(connection: LiveConnection<I>): boolean {
    return this.#registry.get(connection.id) === connection
  }

  #forget(connection: LiveConnection<I>): void {
    this.#expiry.shut(connection)
    this.#heartbeat?.stop(connection)
    this.#registry.remove(connection)
    this.#rechecks?.drop(connection)
    this.#leases?.drop(connection)
  }

  // One function for all, because there are many.
  readonly #onClosed = (connection: LiveConnection<I>): void => {
    const { events } = this.#options
    this.#forget(connection)
    connection.transport.gone?.()
    if (events.areHeard) events.emit({ type: 'closed', connection })
    this.#drain.closed()
  }

  /** Ends a connection: gate, Close, then the socket. Does nothing to one that is over. */
  end(connection: LiveConnection<I>, code: CodeName, { error, reason }: Cause = {}): void {
    if (!this.#isLive(connection)) return
    const { clock, events } = this.#options
    this.#forget(connection)
    // All of them may go at once, as in a drain.
    end(connection.transport, code, (terminate) => clock.after(grace, terminate), connection)
    const cause = { ...(error !== undefined && { error }), ...(reason !== undefined && { reason }) }
    events.emit({ type: 'ended', connection, code, ...cause })
  }
}
