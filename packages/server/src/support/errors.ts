/** Options that cannot work or are not safe. Thrown at start, with what to do instead. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/**
 * A dependency (store, key server, introspection endpoint) is down or too slow. Throw it from a verifier or a store:
 * the guard answers 503 or Close 1013, never 401, because it says nothing about the credential.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}
