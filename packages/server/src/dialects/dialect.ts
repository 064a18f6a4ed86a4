import type { CodeName } from '@sallyport/protocol'
import { ConfigurationError } from '../support/errors.js'

/** How the guard speaks in the protocol of a route. */
export interface Dialect {
  /**
   * The close codes by which the clients of that protocol do what ours do (RFC 6455 section 7.4); of the others, those of
   * `codes` hold.
   */
  readonly closeCodes: Readonly<Partial<Record<CodeName, number>>>
}

// Those that the end of a socket may say, and those that libraries and applications give out (RFC 6455 section 7.4).
const canBeSent = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999))

/**
 * Checks a dialect: a code that cannot be sent would fail when a connection is to end.
 *
 * @throws ConfigurationError in the name of `owner`
 */
export function checkDialect(owner: string, { closeCodes }: Dialect): void {
  for (const [name, code] of Object.entries(closeCodes)) {
    if (canBeSent(code)) continue
    throw new ConfigurationError(
      `${owner}: dialect closes ${name} with ${String(code)}; give a close code that can be sent, such as 4401`,
    )
  }
}
