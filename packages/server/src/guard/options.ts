import { bearerPrefix, readSubprotocols } from '@sallyport/protocol'
import { defaultParameters, hidingParameters } from '../carriers/query.js'
import type { ConnectionLimit } from '../connections/leases.js'
import type { ConnectionLife } from '../connections/life.js'
import { boundedPolicy, createOriginPolicy, type OriginPolicy } from '../handshake/origin.js'
import { type AddressReader, createAddressReader } from '../limits/address.js'
import type { AttemptLimits } from '../limits/attempts.js'
import type { PendingLimits } from '../limits/pending.js'
import type { AnyMethod } from '../methods.js'
import { memoryStore } from '../stores/memory.js'
import type { Store } from '../stores/store.js'
import { checkedChoice } from '../support/checked-choice.js'
import { checkedClock, checkedFunction, checkedList, checkedObject, checkedTexts } from '../support/checked-kind.js'
import { checkedCount, checkedNumber } from '../support/checked-number.js'
import { type Clock, longestDelay, systemClock } from '../support/clock.js'
import { ConfigurationError } from '../support/errors.js'
import { randomBytes } from '../support/random.js'

/** Options of {@link createGuard}. */
export type GuardOptions<M extends readonly AnyMethod[]> = GuardBaseOptions<M> & OriginOptions<M[number]>

/** Options of {@link createGuard}, whatever its methods are. */
export interface GuardBaseOptions<M extends readonly AnyMethod[]> {
  /** The ways in. Each carrier at most once; cookies of different names may stand beside each other. */
  readonly accept: M
  /**
   * The application's subprotocols. The first one that a client offers and that stands here is selected; any other is
   * not. Default: none.
   */
  readonly protocols?: readonly string[]
  /**
   * How a bad credential is refused: `status`, an HTTP response; `close`, a 101 and then Close at once; `client`
   * (default), Close for a browser on an allowed origin and for the WebSocket of Node.js itself, which could not read a
   * status, and a status for all others.
   * A foreign origin or a malformed handshake always gets a status.
   */
  readonly refuseBy?: 'status' | 'close' | 'client'
  /** How long connections live. */
  readonly life?: Partial<ConnectionLife>
  /** How much a stranger may use before the decision. */
  readonly limits?: Partial<Limits>
  /**
   * How many connections an identity may have on all nodes together, and what becomes of one more: `refuse`, it gets 409
   * or Close 4009; `replace`, the oldest gets Close 4009. `max` is 1 at least. Default: any number.
   */
  readonly connectionsPerIdentity?: ConnectionLimit
  /**
   * Proxies whose `X-Forwarded-For` is believed: addresses and CIDR ranges, such as `10.0.0.0/8`, and `unix` for what comes
   * over a Unix socket. Default: none, and then the client's address is the peer's. Who has no address is counted by no
   * limit of an address.
   */
  readonly trustedProxies?: readonly string[]
  /** How long a verifier may take, in milliseconds; then 503 or Close 1013. Default 5,000. */
  readonly verifyTimeout?: number
  /** What nodes share. Default: {@link memoryStore}, for a single process. For more: `clusterStore`, `postgresStore`, `redisStore`. */
  readonly store?: Store
  /** Default: the system's clock. */
  readonly clock?: Clock
  /** That many random bytes. Default: the system's. */
  readonly random?: (bytes: number) => Uint8Array
}

/**
 * The pages that may connect: origins as browsers send them, such as `https://app.example.com`; `https://*.example.com`
 * for each host directly under it, which a public suffix such as `https://*.vercel.app` may not be. Applications that are
 * no web page have origins too: `capacitor://localhost`, `app://.`, `chrome-extension://<id>`; where the host differs by
 * window, `vscode-webview://*`.
 *
 * Or a function that answers `true` for those that may connect, within `verifyTimeout`. It is asked again for a first
 * message and a renewal by message. `UnavailableError` from it is 503, any other error 500.
 *
 * Required with a cookie, which browsers send for every page (RFC 6455 section 10.2). Not asked of a program that sends an
 * `Authorization` header: a handshake with no `Sec-Fetch-…` header and with no `Origin` but that of its own `Host`. Where
 * there are no `origins`, the page of that `Host` is the only one whose handshake may have the header.
 */
export type OriginOptions<M> = true extends (M extends { readonly ambient: infer A } ? A : never)
  ? { readonly origins: Origins }
  : { readonly origins?: Origins }

/** The pages that may connect: a list, or a function that is asked. See {@link OriginOptions}. */
export type Origins = readonly string[] | OriginPolicy

/** How much a stranger may use before the decision. */
export interface Limits extends PendingLimits, AttemptLimits {
  /**
   * How many bytes a credential may have, whichever way it comes; what a client may send before it is accepted follows from
   * it. Default 8,192. More than about 12,000 in a header, a cookie or a query needs a larger `maxHeaderSize` of Node.js.
   */
  readonly credentialBytes: number
}

/** The options of a guard with nothing left open. */
export interface GuardSettings {
  readonly protocols: readonly string[]
  readonly refuseBy: 'status' | 'close' | 'client'
  readonly verifyTimeout: number
  readonly originPolicy: OriginPolicy | undefined
  readonly addressOf: AddressReader
  /** Takes the parameters that bring credentials out of a query. */
  readonly hideCredentials: (query: string) => string
  readonly life: ConnectionLife
  readonly limits: Limits
  readonly connectionLimit: ConnectionLimit | undefined
  readonly store: Store
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
}

/** The options whatever the methods are. */
type AnyOptions = GuardBaseOptions<readonly AnyMethod[]> & { readonly origins?: Origins }

const owner = 'createGuard'
/** What a store does. */
const commands: readonly (keyof Store)[] = ['put', 'take', 'count', 'acquire', 'release', 'append', 'follow']
const day = 24 * 60 * 60 * 1000
const defaultLife: Omit<ConnectionLife, 'revocationMemory'> = {
  leeway: 5_000,
  notice: 60_000,
  maxAge: day,
  maxStaleness: 300_000,
  recheck: 0,
  heartbeat: 30_000,
}
const defaultLimits: Limits = {
  pendingSockets: 1_000,
  pendingPerAddress: 100,
  failedAttempts: 10,
  verificationBudget: 20,
  credentialBytes: 8_192,
}

/**
 * Fills in the defaults.
 *
 * @throws ConfigurationError on options that cannot work or are not safe
 */
export function settingsOf(options: AnyOptions): GuardSettings {
  checkedObject(owner, 'options', options, '{ accept: [header({ verify })] }')
  const { accept, clock = systemClock, origins, protocols = [], trustedProxies = [], connectionsPerIdentity } = options
  checkMethods({ accept, origins, protocols })
  const parameters = parametersOf(accept)
  checkedClock(owner, clock)
  const life = numbers('life', { ...defaultLife, revocationMemory: longestLife(options) }, options.life)
  checkedNumber(owner, 'life.leeway', life.leeway, 0, 60_000)
  if (life.recheck !== 0) checkedNumber(owner, 'life.recheck', life.recheck, 1_000)
  if (life.heartbeat !== 0) checkedNumber(owner, 'life.heartbeat', life.heartbeat, 1_000)
  if (connectionsPerIdentity !== undefined) checkLimit(connectionsPerIdentity)
  const { store = memoryStore({ clock }), random = randomBytes, refuseBy = 'client', verifyTimeout = 5_000 } = options
  checkedNumber(owner, 'verifyTimeout', verifyTimeout, 1, longestDelay)
  return {
    protocols,
    refuseBy: checkedChoice(owner, 'refuseBy', refuseBy, ['status', 'close', 'client']),
    verifyTimeout,
    originPolicy:
      typeof origins === 'function'
        ? boundedPolicy(origins, verifyTimeout, clock)
        : origins && createOriginPolicy(origins),
    addressOf: createAddressReader(checkedTexts(owner, 'trustedProxies', trustedProxies, 'an address or a range')),
    hideCredentials: hidingParameters(...parameters),
    life,
    limits: numbers('limits', defaultLimits, options.limits),
    connectionLimit: connectionsPerIdentity,
    store: checkedObject(owner, 'store', store, 'a store, or leave it out', ...commands),
    clock,
    random: checkedFunction(owner, 'random', random, 'a function, or leave it out'),
  }
}

function checkLimit(limit: ConnectionLimit): void {
  checkedObject(owner, 'connectionsPerIdentity', limit, '{ max, whenFull }')
  const { max, whenFull, whenUnavailable = 'count-own' } = limit
  const name = (option: keyof ConnectionLimit) => `connectionsPerIdentity.${option}`
  checkedCount(owner, name('max'), max)
  checkedChoice(owner, name('whenFull'), whenFull, ['refuse', 'replace'])
  checkedChoice(owner, name('whenUnavailable'), whenUnavailable, ['count-own', 'refuse'])
}

function checkMethod(method: AnyMethod, name: string): void {
  checkedObject(owner, name, method, 'what a method answers, such as header({ verify })', 'carrier')
  if ('options' in method) checkedObject(owner, `${name}.options`, method.options, 'what ticket() takes')
  else checkedFunction(owner, `${name}.verify`, method.verify, 'a verifier, such as jwt({ … }) answers')
}

/** How long what a revocation denies could live, on a node that may be cut off meanwhile. */
function longestLife({ accept, life }: AnyOptions): number {
  const lifetimes = accept.map((method) =>
    'verify' in method
      ? checkedNumber(
          owner,
          'maxLifetime of a verifier',
          method.verify.maxLifetime ?? 30 * day,
          0,
          Number.MAX_SAFE_INTEGER,
        )
      : 0,
  )
  return Math.max(life?.maxStaleness ?? defaultLife.maxStaleness, ...lifetimes)
}

function numbers<T extends { readonly [K in keyof T]: number }>(option: string, defaults: T, given?: Partial<T>): T {
  if (given !== undefined) checkedObject(owner, option, given, 'an object with numbers, or leave it out')
  const all = { ...defaults, ...given }
  for (const [name, value] of Object.entries<number>(all)) {
    checkedNumber(owner, `${option}.${name}`, value, 0, Number.MAX_SAFE_INTEGER)
  }
  return all
}

/** The parameters that bring credentials: also those by which a client may bring one that nobody here takes. */
function parametersOf(accept: readonly AnyMethod[]): string[] {
  const [ticket, query] = (['ticket', 'query'] as const).map((method) => accept.find(({ name }) => name === method))
  if (ticket && ticket.parameter?.toLowerCase() === query?.parameter?.toLowerCase()) {
    throw new ConfigurationError(
      'parameters-same',
      `accept reads ticket and query by ?${ticket.parameter}=: name one of them otherwise`,
    )
  }
  return [ticket?.parameter ?? defaultParameters.ticket, query?.parameter ?? defaultParameters.query]
}

type MethodOptions = Pick<GuardSettings, 'protocols'> &
  Pick<AnyOptions, 'accept'> & { readonly origins: Origins | undefined }

function checkMethods({ accept, origins, protocols }: MethodOptions): void {
  checkedList(owner, 'accept', accept, 'a list of methods', checkMethod)
  if (origins !== undefined && typeof origins !== 'function') checkedTexts(owner, 'origins', origins, 'an origin')
  checkedTexts(owner, 'protocols', protocols, 'the name of a subprotocol')
  if (accept.length === 0)
    throw new ConfigurationError('accept-empty', 'accept is empty, so nobody could connect: list a method')
  const names = accept.map(({ name }) => name).filter((name) => name !== 'cookie')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice)
    throw new ConfigurationError(
      'accept-twice',
      `accept lists ${twice} twice: give one method a verifier that knows both`,
    )
  if (!origins && accept.some(({ ambient }) => ambient)) {
    throw new ConfigurationError(
      'cookie-without-origins',
      'accept lists a cookie, which browsers send for every page: list yours in origins',
    )
  }
  if (protocols.length === 0 && names.includes('subprotocol')) {
    throw new ConfigurationError(
      'subprotocol-without-protocols',
      'accept lists subprotocol, which stands beside one of yours: list it in protocols',
    )
  }
  for (const protocol of protocols) {
    if (!readSubprotocols(protocol) || protocol.includes(',') || protocol.startsWith(bearerPrefix)) {
      throw new ConfigurationError('protocol-name', `protocols: ${JSON.stringify(protocol)} is no subprotocol name`)
    }
  }
}
