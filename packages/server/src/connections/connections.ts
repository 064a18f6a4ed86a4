import { type CodeName, encodeFrame, readAuthFrame } from '@sallyport/protocol'
import { withoutCredentials } from '../carriers/query.js'
import type { Clock } from '../clock.js'
import type { Connection } from '../connection.js'
import type { Events } from '../events.js'
import { type Identity, sameIdentity } from '../identity.js'
import { type Handshake, readTarget, repeated, singleHeader } from '../request.js'
import type { Accept, Await, Refuse, Verdict } from '../verdict.js'
import { awaitFirstMessage, type FirstMessage } from './first-message.js'
import { LiveConnection } from './live-connection.js'
import { Registry } from './registry.js'
import { Revocations, type RevocationTarget, revokes } from './revocations.js'
import { end, type Transport } from './transport.js'

/** What the connections of a guard are built on. */
export interface ConnectionsOptions<I extends Identity> {
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  readonly events: Events<I>
  readonly decide: (handshake: Handshake) => Promise<Verdict<I>>
}

/** What an adapter tells of a pending socket. */
export interface PendingSocket<I extends Identity, M> {
  readonly handshake: Handshake
  readonly transport: Transport
  /** Called once, when it is accepted. `kept` are the messages to deliver first. */
  readonly onOpen: (connection: Connection<I>, kept: M[]) => void
}

/** The live connections of a node, iterable; and, for adapters, the way from a verdict to one. */
export class Connections<I extends Identity> implements Iterable<Connection<I>> {
  readonly #registry = new Registry<I>()
  readonly #revocations: Revocations
  readonly #options: ConnectionsOptions<I>

  constructor(options: ConnectionsOptions<I>) {
    this.#options = options
    this.#revocations = new Revocations(options.clock)
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

  /** Whether what was issued to `holder` has been revoked. */
  isRevoked(holder: Accept<I>): boolean {
    return this.#revocations.match(holder)
  }

  /** Ends what `target` names and refuses it from now on. How many connections it ended. */
  revoke(target: RevocationTarget): number {
    this.#revocations.add(target)
    const now = this.#options.clock.now()
    const named = this.#registry
      .candidates(target)
      .filter((connection) => 'connection' in target || revokes(target, now, connection.accept))
    for (const connection of named) this.#end(connection, 'revoked')
    return named.length
  }

  /**
   * Registers the connection of an accepted socket. `undefined` when a revocation overtook it: then it is closed, and
   * the application must not see it.
   */
  open(accept: Accept<I>, handshake: Handshake, transport: Transport): Connection<I> | undefined {
    const { clock, random, events } = this.#options
    const id = Buffer.from(random(16)).toString('base64url')
    const connection = new LiveConnection<I>(id, clock.now(), accept, sourceOf(handshake), transport)
    this.#registry.add(connection)
    transport.onClose(() => {
      this.#registry.remove(connection)
      events.emit({ type: 'closed', connection })
    })
    // Registered first, asked again after: a revocation finds it either there or here.
    if (this.#revocations.match(accept)) {
      this.#end(connection, 'revoked')
      return undefined
    }
    events.emit({ type: 'accepted', connection })
    return connection
  }

  /** Lets a socket wait between the doors for its first message. */
  wait<M>(wait: Await, { handshake, transport, onOpen }: PendingSocket<I, M>): FirstMessage<M> {
    const { clock, events, decide } = this.#options
    const { path, address } = sourceOf(handshake)
    return awaitFirstMessage<I, M>({
      wait,
      clock,
      transport,
      decide: (message) => decide({ ...handshake, message }),
      onFail: (reason) => events.emit({ type: 'refused', reason, path, address }),
      onAccept: (accept, kept) => {
        const connection = this.open(accept, handshake, transport)
        if (!connection) return
        transport.send(this.#acknowledge(connection))
        onOpen(connection, kept)
      },
    })
  }

  /** Turns a socket away after the 101. */
  turnAway(verdict: Refuse, transport: Transport): void {
    end(transport, verdict.code, this.#options.clock)
  }

  /** Ends a connection whose handler failed. */
  fail(connection: Connection<I>, error: unknown): void {
    const live = this.#registry.get(connection.id)
    if (live) this.#end(live, 'internal', error)
  }

  /**
   * Takes a text message of a connection that authenticated by first message. `true`: it was an `auth` frame, which
   * renews the connection; the application must not see it.
   */
  receive(connection: Connection<I>, text: string): boolean {
    // Much cheaper than JSON.parse, and true of every auth frame.
    if (!text.includes('"auth"') || readAuthFrame(text) === undefined) return false
    const live = this.#registry.get(connection.id)
    if (live && !live.renewing) {
      live.renewing = true
      this.#renew(live, text)
        .catch((error: unknown) => this.#end(live, 'internal', error))
        .finally(() => {
          live.renewing = false
        })
    }
    return true
  }

  async #renew(connection: LiveConnection<I>, message: string): Promise<void> {
    const { path, address } = connection
    const verdict = await this.#options.decide({ ...renewal, target: path, address, message })
    if (this.#registry.get(connection.id) !== connection) return
    if (verdict.type !== 'accept') {
      // The credential it was accepted with is still good until it ends.
      connection.transport.send(encodeFrame({ type: 'auth_fail' }))
    } else if (sameIdentity(verdict.identity, connection.identity)) {
      this.#registry.remove(connection)
      connection.renew(verdict)
      this.#registry.add(connection)
      this.#options.events.emit({ type: 'renewed', connection })
      connection.transport.send(this.#acknowledge(connection))
    } else {
      this.#end(connection, 'forbidden')
    }
  }

  #acknowledge({ id, identity, expiresAt }: LiveConnection<I> | Connection<I>): string {
    const remaining = expiresAt === undefined ? undefined : Math.floor((expiresAt - this.#options.clock.now()) / 1000)
    return encodeFrame({
      type: 'auth_ok',
      userId: identity.id,
      connection: id,
      ...(remaining !== undefined && { expiresIn: Math.max(0, remaining) }),
    })
  }

  #end(connection: LiveConnection<I>, code: CodeName, error?: unknown): void {
    const { clock, events } = this.#options
    this.#registry.remove(connection)
    end(connection.transport, code, clock)
    events.emit({ type: 'ended', connection, code, ...(error !== undefined && { error }) })
  }
}

/** What a renewal looks like to the guard: no carrier but the message. */
const renewal = { method: 'GET', headers: [] } as const

function sourceOf(handshake: Handshake) {
  const target = readTarget(handshake.target)
  const origin = singleHeader(handshake, 'origin')
  return {
    path: target?.path ?? '',
    query: withoutCredentials(target?.query ?? ''),
    origin: origin === repeated ? undefined : origin,
    address: handshake.address,
  }
}
