import type { Conversation, Dialect } from './dialect.js'
import { type Place, takeParameter } from './parameters.js'

const connectionInit: Place = { is: ['type', 'connection_init'], in: 'payload' }

/**
 * `graphql-transport-ws`, as the client of graphql-ws speaks it: that stops at 4401, 4409 and most codes below 2000, and
 * comes again after the others, with new `connectionParams`.
 *
 * The credential is `connectionParams.token`, or another `parameter`. The application gets `connection_init` without it,
 * and acknowledges it.
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
  converse(): Conversation {
    const { parameter = 'token' } = this
    return { hear: (message) => takeParameter(message, connectionInit, parameter), say: () => undefined }
  },
}
