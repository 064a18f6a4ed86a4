import type { Authorize } from '../../connections/inner-door.js'
import { checkDialect, type Dialect } from '../../dialects/dialect.js'
import { plain } from '../../dialects/plain.js'
import type { ParamsOf, RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import type { RoutesOptions } from '../../routes.js'
import { checkedNumber } from '../../support/checked-number.js'
import type { Admit } from '../../verifiers/admit.js'

/** Options of a guarded route that is served by fetch requests; `M` is a message as the runtime hands it on. */
export interface FetchRouteOptions<I extends Identity, P extends RoutePath, M> extends Omit<RoutesOptions, 'path'> {
  /**
   * The paths that the guard owns. One, such as `/ws`, compared exactly; a pattern such as `/yjs/:room`, whose parameters
   * are one segment each, decoded; or a function that answers the parameters of a path, `undefined` when it is none of the
   * route's.
   */
  readonly path: P
  /**
   * Says whether who it is may connect here, once that is known, in as much time as a verifier has: `false` or
   * `{ reason }`, which events tell, is 403 or Close 4003. Default: everybody may.
   */
  readonly admit?: Admit<I, ParamsOf<P>>
  /** The protocol that the route speaks, as that of `guardServer`. Default: the protocol of Sallyport. */
  readonly dialect?: Dialect
  /** Asked about every message of an accepted connection. Default: all may pass. */
  readonly authorize?: Authorize<I, M>
  /** How many messages a second a connection may send, 1 at least; more close it with 4029. Default: any number. */
  readonly messagesPerSecond?: number
  /**
   * How many bytes of what was sent may wait for a client that reads slowly, where the runtime tells. One more ends the
   * connection. Default 16,777,216: 16 MiB.
   */
  readonly maxBufferedBytes?: number
}

/** What every route on a runtime's own WebSockets can be told about their messages. */
interface MessageOptions<I extends Identity, M> {
  readonly dialect?: Dialect
  readonly authorize?: Authorize<I, M>
  readonly messagesPerSecond?: number
  readonly maxBufferedBytes?: number
}

const mebibyte = 1_048_576

/**
 * What becomes of the messages of a route, with the defaults.
 *
 * @throws ConfigurationError in the name of `owner`, when a number or the dialect cannot work
 */
export function checkRoute<I extends Identity, M>(owner: string, options: MessageOptions<I, M>) {
  const { dialect = plain, authorize, messagesPerSecond, maxBufferedBytes = 16 * mebibyte } = options
  checkDialect(owner, dialect)
  checkedNumber(owner, 'maxBufferedBytes', maxBufferedBytes, 0)
  if (messagesPerSecond !== undefined) checkedNumber(owner, 'messagesPerSecond', messagesPerSecond, 1)
  return { dialect, authorize, messagesPerSecond, maxBufferedBytes }
}
