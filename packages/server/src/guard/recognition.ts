import type { Connection } from '../connections/connection.js'
import type { LiveConnections } from '../connections/connections.js'
import { type Handshake, listHeader, mayHideHeaders, repeated, singleHeader } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { addressKey } from '../limits/address.js'
import { hash } from '../support/hash.js'
import { type Refuse, refuse } from '../verdict.js'
import type { Decision, Ways } from './decision.js'
import type { GuardSettings } from './options.js'
import { checkOrigin } from './origin-check.js'

/** A client that comes by many requests, as the guard knows it. */
export interface KnownClient<I extends Identity> {
  /** What `guard.recognize` answered for the request before. */
  readonly mark: string
  /** Its connection, once it is accepted. */
  readonly connection: Connection<I> | undefined
}

/** What recognition is built on. */
export interface RecognitionOptions<I extends Identity> {
  readonly settings: GuardSettings
  readonly decision: Decision<I>
  /** The methods whose credentials come with every request. */
  readonly ways: Ways<I>
  readonly connections: LiveConnections<I>
}

/**
 * Says whether requests are of one client, where an id in the URL names it: whoever reads the id in a log, or guesses it,
 * must not become that client.
 */
export class Recognition<I extends Identity> {
  readonly #options: RecognitionOptions<I>

  constructor(options: RecognitionOptions<I>) {
    this.#options = options
  }

  async recognize(request: Handshake, known?: KnownClient<I>): Promise<string | Refuse> {
    const { settings, decision, ways, connections } = this.#options
    if (mayHideHeaders(request)) return refuse('handshake-headers')
    const origin = singleHeader(request, 'origin')
    if (origin === repeated) return refuse('handshake-repeated')
    // A page's own requests have no Origin where they only read. Another page's images have none either, but cookies.
    if (origin === undefined && listHeader(request, 'sec-fetch-site').some(isOther)) return refuse('fetch-metadata')
    const fault = await checkOrigin(request, origin, settings.originPolicy, false)
    if (fault) return fault
    const mark = this.#markOf(request)
    if (known === undefined) return connections.isDraining ? refuse('draining') : mark
    if (mark === known.mark) return mark
    const { connection } = known
    if (connection === undefined) return refuse('identity-changed')
    // Another credential may be a newer one of the same client.
    const verdict = await decision.evaluate(request, ways)
    if (verdict.type === 'refuse') return verdict
    // It may have ended meanwhile.
    const [live] = connections.find({ connection: connection.id })
    const isSame = verdict.type === 'accept' && live !== undefined && connections.renewals.renew(live, verdict)
    return isSame ? mark : refuse('identity-changed')
  }

  /**
   * What a client shows with every request: its credential, or its address where it shows none. One that stands in the URL
   * has leaked with the id.
   */
  #markOf(request: Handshake): string {
    const { settings, ways } = this.#options
    const shown = ways.methods.map(({ carrier }) => carrier(request))
    const isNameless = shown.every(({ type }) => type === 'absent')
    return hash(JSON.stringify(isNameless ? addressKey(settings.addressOf(request)) : shown))
  }
}

const isOther = (site: string): boolean => site === 'cross-site' || site === 'same-site'
