import type { LiveConnection } from '../../connections/live-connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import { handshakeOf } from '../../connections/source.js'
import type { Guard } from '../../guard/guard.js'
import type { KnownClient } from '../../guard/recognition.js'
import type { Handshake } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import type { Place } from '../../limits/pending.js'
import type { Accept, Refuse, Verdict } from '../../verdict.js'
import type { Admit } from '../../verifiers/admit.js'
import { EngineTransport, type PacketGuard } from './engine-transport.js'
import type { Auth, Data, Engine, SocketIoClient } from './internals.js'
import { conversation, type Outcome, outcomeOf, withAuth } from './words.js'

/** What holds for all clients of a server. */
export interface ClientOptions<I extends Identity> {
  readonly guard: Guard<I>
  readonly admit: Admit<I> | undefined
  /** How long a client has to be accepted, in milliseconds. */
  readonly connectTimeout: number
}

/** The request that opens a client. */
export interface Opening {
  readonly handshake: Handshake
  readonly place: Place
  readonly mark: string
  /** Told that a client has come of it, who leaves the place. */
  readonly onTaken: () => void
}

// Credentials, and whatever else of the application's comes with them.
const maxBytes = 65_536
// More than anybody has namespaces.
const maxAsked = 64

const clients = new WeakMap<object, unknown>()

/** The client of a connection of engine.io. */
export const clientOf = (engine: object): unknown => clients.get(engine)

/**
 * A client: one connection of engine.io, over whatever transports it goes, with all the namespaces it joins. It is one
 * connection of the guard, opened by the first namespace that lets it in. For the others it shows who it is again.
 */
export class Client<I extends Identity> implements KnownClient<I>, PacketGuard {
  readonly #options: ClientOptions<I>
  readonly #transport: EngineTransport
  readonly #opening: Opening
  readonly #cancelDeadline: () => void
  readonly #stopCounting: () => void
  /** The last request that could bring packets: a page's own that only reads has no `Origin`. */
  #request: Handshake
  #connection: LiveConnection<I> | undefined
  #lastEntry: Promise<unknown> = Promise.resolve()
  #isLate = false
  mark: string

  constructor(options: ClientOptions<I>, engine: Engine, opening: Opening) {
    const { guard, connectTimeout } = options
    clients.set(engine, this)
    this.#options = options
    this.#transport = new EngineTransport(engine, this)
    this.#opening = opening
    this.#request = opening.handshake
    this.mark = opening.mark
    this.#cancelDeadline = guard.clock.after(connectTimeout, () => {
      this.#isLate = true
      if (!this.#transport.isAsking) this.#turnAway('message-late')
    })
    opening.place.wait(() => this.#evict())
    let received = 0
    const count = (data: Data) => {
      received += data.length
      if (received > maxBytes) this.#turnAway('credential-too-large')
    }
    engine.on('data', count)
    this.#stopCounting = () => void engine.off('data', count)
    engine.once('close', () => this.#decided())
  }

  /** Its connection, if it is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return connections === this.#options.guard.connections ? this.#connection : undefined
  }

  /** Its connection, once it is accepted. */
  get connection(): LiveConnection<I> | undefined {
    return this.#connection
  }

  /** Takes a later request of the same client. */
  seen(request: Handshake, mark: string, bringsPackets: boolean): void {
    this.mark = mark
    if (bringsPackets) this.#request = request
    // What waits for a poll must not be given to one that comes too late.
    this.mayCross()
  }

  /**
   * Asks whether it may enter a namespace, and tells it when not. One after the other, so that the first has opened the
   * connection.
   */
  enter(client: SocketIoClient, namespace: string, auth: Auth): Promise<boolean> {
    if (this.#transport.asks(client, namespace) > maxAsked) this.#stop()
    const entry = this.#lastEntry.then(() => this.#enter(namespace, auth))
    this.#lastEntry = entry.catch(() => {})
    return entry
  }

  async #enter(namespace: string, auth: Auth): Promise<boolean> {
    if (!this.#transport.isOpen) return false
    const source = { ...this.#request, target: this.#opening.handshake.target }
    const asked = { ...withAuth(source, auth), params: { namespace } }
    const refusal = await this.#decide(asked, source).finally(() => this.#transport.answered(namespace))
    if (refusal) this.refuse(namespace, refusal)
    if (this.#isLate) this.#turnAway('message-late')
    return refusal === undefined && this.#transport.isOpen
  }

  /** `undefined` where the client is accepted, or gone, or was told why it ends. */
  #decide(asked: Handshake, source: Handshake): Promise<Refuse | undefined> {
    return this.#connection ? this.#verify(this.#connection, asked, this.#options.admit) : this.#open(asked, source)
  }

  async #open(asked: Handshake, source: Handshake): Promise<Refuse | undefined> {
    const { guard, admit } = this.#options
    const verdict = await guard.decide(asked, admit)
    if (!this.#transport.isOpen) return void liveConnections(guard).abandon(verdict)
    if (verdict.type !== 'accept') return this.#refusal(verdict, asked)
    this.#decided()
    this.#connection = liveConnections(guard).open(verdict, source, this.#transport, conversation)
    return undefined
  }

  /** What it asks for besides comes with a newer credential, or the same again. */
  async #verify(
    connection: LiveConnection<I>,
    asked: Handshake,
    admit?: Admit<I> | undefined,
  ): Promise<Refuse | undefined> {
    const { guard } = this.#options
    const verdict = await guard.verify(asked, admit)
    if (!this.mayCross()) return undefined
    if (verdict.type !== 'accept') return this.#refusal(verdict, asked)
    return liveConnections(guard).renewals.renew(connection, verdict)
      ? undefined
      : guard.refuse(asked, 'identity-changed')
  }

  /** There is no other message to wait for. */
  #refusal(verdict: Exclude<Verdict<I>, Accept<I>>, asked: Handshake): Refuse {
    return verdict.type === 'await' ? this.#options.guard.refuse(asked, 'credential-absent') : verdict
  }

  /** Tells it that it may not enter a namespace. */
  refuse(namespace: string, refusal: Pick<Refuse, 'code'>): void {
    this.#transport.refuse(namespace, outcomeOf(refusal))
  }

  /** Renews its connection by a newer credential, one at a time; answers what the client is told, where it is told. */
  async renew(auth: Auth): Promise<Outcome | { readonly expiresIn?: number } | undefined> {
    const connections = liveConnections(this.#options.guard)
    const { connection } = this
    if (!connection || connection.renewing) return undefined
    connection.renewing = true
    const refusal = await this.#verify(connection, withAuth(handshakeOf(connection), auth))
    connection.renewing = false
    if (!this.mayCross()) return undefined
    if (refusal?.reason === 'identity-changed') connections.end(connection, 'forbidden')
    if (refusal) return outcomeOf(refusal)
    const expiresIn = connections.expiresIn(connection)
    return expiresIn === undefined ? {} : { expiresIn }
  }

  /** Ends it because of what the application threw. */
  fail(error: unknown): void {
    const { guard } = this.#options
    const { connection } = this
    if (connection && guard.connections.get(connection.id))
      liveConnections(guard).end(connection, 'internal', { error })
    else guard.refuse(this.#opening.handshake, 'internal-error', error)
  }

  /** Before the accept there is nobody to send. */
  maySend(): boolean {
    return this.#connection === undefined || this.mayCross()
  }

  onSlow(): void {
    if (this.#connection) liveConnections(this.#options.guard).end(this.#connection, 'limited')
    // Its end would wait behind all the rest.
    this.#transport.terminate()
  }

  /** Whether a packet may cross now. */
  mayCross(): boolean {
    return this.#connection !== undefined && liveConnections(this.#options.guard).isOpen(this.#connection)
  }

  /** Ends it because it asks for too much. */
  #stop(): void {
    if (this.#connection) liveConnections(this.#options.guard).end(this.#connection, 'limited')
    else this.#turnAway('messages-too-many')
  }

  #decided(): void {
    this.#opening.place.leave()
    this.#cancelDeadline()
    this.#stopCounting()
  }

  #evict(): boolean {
    if (this.#transport.isAsking) return false
    this.#turnAway('pending')
    return true
  }

  /** Ends it before it is accepted. */
  #turnAway(reason: 'message-late' | 'messages-too-many' | 'credential-too-large' | 'pending'): void {
    const { guard } = this.#options
    if (this.#connection || !this.#transport.isOpen) return
    this.#decided()
    liveConnections(guard).undecided.turnAway(guard.refuse(this.#opening.handshake, reason), this.#transport)
  }
}
