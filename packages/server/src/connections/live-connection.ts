import type { Conversation } from '../dialects/dialect.js'
import type { PathParams } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { Accept, MethodName } from '../verdict.js'
import type { Connection } from './connection.js'
import type { Scheduled } from './deadlines.js'
import type { ConnectionSource } from './source.js'
import type { CloseListener, Transport } from './transport.js'

/** A connection with the guard's own handle on it: what it was accepted as, which a renewal replaces, and its socket. */
export class LiveConnection<I extends Identity = Identity>
  implements Connection<I>, Scheduled<'slot' | 'lookAt'>, CloseListener
{
  readonly path: string
  readonly params: PathParams
  readonly origin: string | undefined
  readonly address: string
  readonly #query: string
  readonly #transport: Transport
  readonly #onClosed: (connection: LiveConnection<I>) => void
  #accept: Accept<I>
  /** Whether a renewal is being verified: one at a time. */
  renewing = false
  /** When the gate shuts, in milliseconds since the epoch. */
  deadline = Number.POSITIVE_INFINITY
  /** Whether the peer was told that its credential is about to end. */
  noticed = false
  /** When its deadline, or the notice of it, is looked at. */
  slot: number | undefined
  slotPlace = 0
  /** When its peer is looked after. */
  lookAt: number | undefined
  lookAtPlace = 0
  /** There while it is rechecked. */
  question: Question<I> | undefined
  /** How many pings its peer has not answered. */
  unanswered = 0

  constructor(
    readonly id: string,
    readonly since: number,
    accept: Accept<I>,
    source: ConnectionSource,
    transport: Transport,
    onClosed: (connection: LiveConnection<I>) => void,
    /** The talk with its client, where its credential came by first message. */
    readonly conversation?: Conversation,
  ) {
    this.path = source.path
    this.params = source.params
    this.origin = source.origin
    this.address = source.address
    this.#query = source.query
    this.#accept = accept
    this.#transport = transport
    this.#onClosed = onClosed
  }

  get identity(): I {
    return this.#accept.identity
  }
  get method(): MethodName {
    return this.#accept.method
  }
  get expiresAt(): number | undefined {
    return this.#accept.expiresAt
  }
  get session(): string | undefined {
    return this.#accept.session
  }
  get token(): string | undefined {
    return this.#accept.token
  }
  get protocol(): string | undefined {
    return this.#accept.protocol
  }
  get query(): URLSearchParams {
    // The parser would take away a question mark that belongs to the query.
    return new URLSearchParams(`?${this.#query}`)
  }
  get accept(): Accept<I> {
    return this.#accept
  }
  get transport(): Transport {
    return this.#transport
  }

  closed(): void {
    this.#onClosed(this)
  }

  /** Lets the connection live on as `accept` says, who must be the same identity. How it was opened stays. */
  renew(accept: Accept<I>): void {
    const { method, protocol } = this.#accept
    this.#accept = { ...accept, method, protocol }
  }
}

/** A connection that is asked about again and again. */
export interface Question<I extends Identity> extends Scheduled {
  readonly connection: LiveConnection<I>
  /** Since when nobody answers. */
  silentSince: number | undefined
}
