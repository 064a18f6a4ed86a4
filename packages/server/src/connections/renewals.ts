import { type Heard, saysNothing, type WireMessage } from '../dialects/dialect.js'
import type { Handshake } from '../handshake/request.js'
import { type Identity, identityKey, sameIdentity } from '../identity.js'
import { AtOnce } from '../limits/at-once.js'
import type { RevocationLog } from '../revocation/log.js'
import type { Target } from '../revocation/target.js'
import type { Accept, Verdict } from '../verdict.js'
import type { Events } from './events.js'
import type { LiveConnection } from './live-connection.js'
import type { Rechecks } from './recheck.js'
import {
  leastOf,
  type Renewal,
  type RenewalRequest,
  readAnswer,
  readQuestion,
  unplainOf,
  writeAnswer,
  writeQuestion,
} from './renewal.js'
import { handshakeOf } from './source.js'
import { acknowledge, tell } from './tell.js'

/** The live connections of a node. */
interface Life<I extends Identity> {
  readonly log: Pick<RevocationLog, 'ask'>
  isOpen(connection: LiveConnection<I>): boolean
  find(target: Target): LiveConnection<I>[]
  replace(connection: LiveConnection<I>, accept: Accept<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
  end(connection: LiveConnection<I>, code: 'forbidden' | 'internal', cause?: { error?: unknown }): void
}

/** What renewals are built on. */
export interface RenewalsOptions<I extends Identity> {
  readonly events: Events<I>
  /** The guard's decision about the renewal of a connection, which has its place already. */
  readonly verify: (handshake: Handshake) => Verdict<I> | Promise<Verdict<I>>
}

/**
 * Whether the guard has taken a message, which the application must not see. A promise: it has, later messages wait until it
 * settles, and the application then gets these first.
 */
export type Taken = boolean | Promise<readonly WireMessage[]>

/** How many questions to the other nodes an identity may have: one lasts a second when nobody has an answer. */
const questionsAtOnce = 20

/** Lets live connections live on with newer credentials, which come by message, over HTTP, or to another node. */
export class Renewals<I extends Identity> {
  readonly #connections: Life<I>
  readonly #rechecks: Rechecks<I> | undefined
  readonly #options: RenewalsOptions<I>
  readonly #questions = new AtOnce(questionsAtOnce)

  constructor(connections: Life<I>, rechecks: Rechecks<I> | undefined, options: RenewalsOptions<I>) {
    this.#connections = connections
    this.#rechecks = rechecks
    this.#options = options
  }

  /**
   * Renews a connection; a credential that was issued before the present one changes nothing. `false`: it is somebody
   * else's.
   */
  renew(connection: LiveConnection<I>, accept: Accept<I>): boolean {
    if (!sameIdentity(accept.identity, connection.identity)) return false
    if (writtenAt(accept) < writtenAt(connection.accept)) return true
    if (!this.#connections.replace(connection, accept)) return true
    this.#rechecks?.keep(connection)
    this.#options.events.emit({ type: 'renewed', connection })
    return true
  }

  /** Takes a message of a connection that authenticated by first message, when it brings a newer credential. */
  receive(connection: LiveConnection<I>, message: WireMessage): Taken {
    let heard: Heard
    try {
      heard = connection.conversation?.hearAgain?.(message)
    } catch (error) {
      this.#fail(connection, error)
      return true
    }
    if (heard === undefined || heard === 'absent') return false
    const { credential, rest } = heard === 'malformed' ? { credential: '', rest: [] } : heard
    const renewed = this.#renewInBand(connection, credential).catch((error: unknown) => this.#fail(connection, error))
    return rest.length === 0 || renewed.then((isRenewed) => (isRenewed ? rest : []))
  }

  /** Renews by message, one at a time: what comes while one is verified is dropped. Answers whether it has. */
  async #renewInBand(connection: LiveConnection<I>, credential: string): Promise<boolean> {
    const connections = this.#connections
    if (!connections.isOpen(connection) || connection.renewing) return false
    connection.renewing = true
    const verdict = await this.#options.verify({ ...handshakeOf(connection), message: credential })
    connection.renewing = false
    if (!connections.isOpen(connection)) return false
    if (verdict.type === 'refuse') {
      // A bad credential leaves the one it was accepted with, which is still good until it ends.
      if (!saysNothing(verdict.code)) tell(connections, connection, { type: 'refused', code: verdict.code })
    } else if (verdict.type === 'accept') {
      if (this.renew(connection, verdict)) return connections.isOpen(connection) && acknowledge(connections, connection)
      connections.end(connection, 'forbidden')
    }
    return false
  }

  #fail(connection: LiveConnection<I>, error: unknown): false {
    this.#connections.end(connection, 'internal', { error })
    return false
  }

  /**
   * Renews the connection of that id, or all of the session of `accept`, wherever they are: the other nodes are asked unless
   * the one that is named is here, and nobody is who asks too often.
   */
  async renewAll(accept: Accept<I>, connection: string | undefined): Promise<Renewal> {
    const request = { accept, connection }
    const here = this.#renewHere(request)
    if (connection === undefined ? accept.session === undefined : here !== 'connection-unknown') return here
    const most = connection === undefined ? Number.POSITIVE_INFINITY : 1
    const asked = this.#questions.run(identityKey(accept.identity), () =>
      this.#connections.log.ask(writeQuestion(request), most),
    )
    if (!asked) return 'renewal-limit'
    const answers = await asked
    const all = [here, ...answers.map(readAnswer)]
    if (all.includes('identity-unplain'))
      throw new TypeError(`renewal: ${unplainOf(accept)}; another node gets the identity as JSON, so give plain data`)
    const renewed = all.filter((renewal) => typeof renewal === 'object')
    if (renewed.length > 0) return leastOf(renewed.map(({ expiresIn }) => expiresIn))
    return all.includes('identity-changed') ? 'identity-changed' : 'connection-unknown'
  }

  /** Answers another node that asks for a renewal; `undefined` when nothing of it is here, or it is no such question. */
  answer(question: string): string | undefined {
    const request = readQuestion<I>(question)
    if (request?.isUnplain) return this.#named(request).length > 0 ? writeAnswer('identity-unplain') : undefined
    const renewal = request && this.#renewHere(request, ({ accept }) => lookedUpAs(accept, request.accept))
    return renewal === undefined || renewal === 'connection-unknown' ? undefined : writeAnswer(renewal)
  }

  /** Renews what this node has of the connections that are meant; `acceptFor` says as what, where that differs. */
  #renewHere(request: RenewalRequest<I>, acceptFor = (_: LiveConnection<I>) => request.accept): Renewal {
    const connections = this.#connections
    const named = this.#named(request)
    if (named.length === 0) return 'connection-unknown'
    // Over HTTP another identity does not end the connection: its id alone must not be enough to close it. Sessions of two
    // issuers may have the same name.
    const same = named.filter((live) => this.renew(live, acceptFor(live)))
    if (same.length === 0) return 'identity-changed'
    // A revocation that the other node has not heard of may have ended them.
    const renewed = same.filter((live) => connections.isOpen(live))
    if (renewed.length === 0) return 'connection-unknown'
    return leastOf(renewed.map((live) => connections.expiresIn(live)))
  }

  /** What this node has of the connections that a request names. */
  #named({ accept: { session }, connection }: RenewalRequest<I>): LiveConnection<I>[] {
    if (connection !== undefined) return this.#connections.find({ connection })
    return session === undefined ? [] : this.#connections.find({ session })
  }
}

/** When a credential says that it was issued: of two, one clock has written both. */
const writtenAt = ({ issuedAt, vouchedAt }: Accept): number => issuedAt ?? vouchedAt

/**
 * A newer credential stays on the node that it was shown to: what was looked up again so far is looked up again, be it
 * the same session or another token.
 */
function lookedUpAs<I extends Identity>(held: Accept<I>, newer: Accept<I>): Accept<I> {
  const isSame = held.issuedAt === newer.issuedAt && held.token === newer.token && held.session === newer.session
  return { ...newer, recheck: held.recheck, renewedElsewhere: held.renewedElsewhere === true || !isSame }
}
