/** The mistakes in options that a `ConfigurationError` tells: stable names. Each has a page in `docs/errors`. */
export const configurationCodes = [
  // The guard, and who may connect.
  'accept-empty',
  'accept-twice',
  'cookie-without-origins',
  'cookie-name',
  'parameter-name',
  'parameters-same',
  'subprotocol-without-protocols',
  'protocol-name',
  'origins-empty',
  'origin-invalid',
  'origin-public-suffix',
  'address-range',
  // Options of any kind.
  'option-required',
  'option-kind',
  'option-number',
  'option-choice',
  // Routes and servers.
  'path-invalid',
  'path-parameter-twice',
  'path-guarded',
  'no-handler',
  'route-without-guard',
  'web-socket-server',
  'ws-version',
  'socket-io-not-attached',
  'socket-io-version',
  'socket-io-eio3',
  'dialect-parameter',
  'dialect-close-code',
  'object-binding',
  'object-sleeps',
  // Verifiers.
  'algorithms',
  'algorithm-without-key',
  'audience-required',
  'claim-name',
  'issuer-query',
  'key-source',
  'pattern-flags',
  'public-key',
  'secret-is-key',
  'secret-short',
  'url-not-https',
  'url-with-password',
  // Stores.
  'cluster-store-folder',
  'cluster-store-windows',
  'memory-store-workers',
  'store-prefix',
  'store-schema',
  'store-secret',
] as const

/** The name of a mistake in options. */
export type ConfigurationCode = (typeof configurationCodes)[number]
