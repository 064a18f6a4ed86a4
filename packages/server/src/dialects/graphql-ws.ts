import type { Dialect } from './dialect.js'

/**
 * `graphql-transport-ws`, as the client of graphql-ws speaks it: that stops at 4401, 4409 and most codes below 2000, and
 * comes again after the others, with new `connectionParams`.
 */
export const graphqlWs: Dialect = {
  closeCodes: {
    unauthenticated: 4401,
    timeout: 4408,
    // It comes again after its own Forbidden, because access may be granted meanwhile.
    forbidden: 4401,
    replaced: 4409,
    revoked: 4401,
    expired: 4403,
    internal: 1013,
  },
}
