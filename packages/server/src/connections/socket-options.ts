import { checkDialect, type Dialect } from '../dialects/dialect.js'
import { plain } from '../dialects/plain.js'
import type { Identity } from '../identity.js'
import { checkedFunction, checkedObject } from '../support/checked-kind.js'
import { checkedNumber } from '../support/checked-number.js'
import type { Authorize } from './inner-door.js'

/** How many bytes a message may have where nobody says: 1 MiB. */
export const defaultMessageBytes = 1_048_576
/** How many bytes may wait for a client that reads slowly where nobody says: 16 MiB. */
export const defaultBufferedBytes = 16_777_216

/** What may be said of the accepted sockets of a route. */
export interface SocketOptions<I extends Identity, M> {
  /**
   * The protocol that the route speaks: `graphqlWs`, `trpc`, `hocuspocus`, `yjs`, `mqtt`, `stomp`, or one of yours. It says
   * which close codes its clients understand and, with `firstMessage()`, how the first message brings the credential. Default:
   * the protocol of Sallyport.
   */
  readonly dialect?: Dialect
  /** Asked about every message of an accepted connection. Default: all may pass. */
  readonly authorize?: Authorize<I, M>
  /** How many messages a second a connection may send, 1 at least; more close it with 4029. Default: any number. */
  readonly messagesPerSecond?: number
  /**
   * How many bytes of what was sent may wait for a client that reads slowly, where the runtime tells. One more ends the
   * connection at once, with no Close: it would wait behind them. Default 16,777,216: 16 MiB. A single message counts whole.
   */
  readonly maxBufferedBytes?: number
}

/**
 * Fills in the defaults.
 *
 * @throws ConfigurationError in the name of `owner`, when one of them cannot work
 */
export function checkedSocketOptions<I extends Identity, M>(owner: string, options: SocketOptions<I, M>) {
  checkedObject(owner, 'options', options, "{ path: '/ws' }")
  const { dialect = plain, authorize, messagesPerSecond, maxBufferedBytes = defaultBufferedBytes } = options
  checkDialect(owner, dialect)
  if (authorize !== undefined)
    checkedFunction(owner, 'authorize', authorize, 'a function that is asked about a message')
  checkedNumber(owner, 'maxBufferedBytes', maxBufferedBytes, 0)
  if (messagesPerSecond !== undefined) checkedNumber(owner, 'messagesPerSecond', messagesPerSecond, 1)
  return { dialect, authorize, messagesPerSecond, maxBufferedBytes }
}
