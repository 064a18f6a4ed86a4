import type { ConfigurationCode } from './configuration-codes.js'
import { helpAddress } from './help.js'

/**
 * Options that cannot work or are not safe. Thrown at start. The message says what came, what to do instead, and the address
 * of the page that says more.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'

  constructor(
    /** Which mistake it is: a stable name, and that of its page. */
    readonly code: ConfigurationCode,
    message: string,
  ) {
    super(`${message}: see ${helpAddress(code)}`)
  }
}

/**
 * A dependency (store, key server, introspection endpoint) is down or too slow. Throw it from a verifier or a store:
 * the guard answers 503 or Close 1013, never 401, because it says nothing about the credential.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}
