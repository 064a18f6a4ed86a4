import { checkedClock } from '../../support/checked-kind.js'
import { checkedNumber } from '../../support/checked-number.js'
import { type Clock, longestDelay, systemClock } from '../../support/clock.js'
import { createSeal, type Seal } from './seal.js'
import { ServerTime } from './time.js'
import { Values } from './values.js'

/** Options of every store that stands on a server. */
export interface ServerStoreOptions {
  /**
   * A secret of all nodes, 32 random bytes at least, which marks tickets and revocations, so that nobody else who can
   * write to the server can make them; of several the first marks, and all are believed. Default: none, with a warning.
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** How long a command may take, in milliseconds; then it is refused, and so are all until the server answers. Default 500. */
  readonly timeout?: number
  /** Times commands and looks; what the server holds ends by its own time. Default: the system's clock. */
  readonly clock?: Clock
}

/** What such a store is built on. */
export interface Setup {
  readonly clock: Clock
  readonly timeout: number
  readonly seal: Seal
  readonly time: ServerTime
  readonly values: Values
  /** Tells the operator, each thing once. */
  warn(text: string): void
}

/**
 * Reads the options of the store `name` on the server `server`.
 *
 * @throws ConfigurationError on a secret that is short, or a timeout that is no time
 */
export function setUp(name: string, server: string, options: ServerStoreOptions): Setup {
  const { secret = [], clock = systemClock, timeout = 500 } = options
  checkedNumber(name, 'timeout', timeout, 1, longestDelay)
  checkedClock(name, clock)
  const secrets = typeof secret === 'string' || ArrayBuffer.isView(secret) ? [secret] : secret
  const seal = createSeal(name, secrets)
  const time = new ServerTime(clock)
  const warned = new Set<string>()
  if (secrets.length === 0) warn(`give it a secret: without one, whoever can write to ${server} can make tickets`)

  function warn(text: string): void {
    if (warned.has(text)) return
    warned.add(text)
    process.emitWarning(`${name}: ${text}`)
  }

  return { clock, timeout, seal, time, values: new Values(seal, time), warn }
}
