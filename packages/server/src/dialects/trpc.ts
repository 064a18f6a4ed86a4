import type { Conversation, Dialect } from './dialect.js'
import { type Place, takeParameter } from './parameters.js'

const connectionParams: Place = { is: ['method', 'connectionParams'], in: 'data' }

/**
 * tRPC over WebSockets, as `wsLink` of `@trpc/client` speaks it, whose client reads no close code.
 *
 * The credential is `connectionParams.token`, or another `parameter`. `createContext` gets the others, in
 * `info.connectionParams`.
 */
export const trpc: Dialect = {
  closeCodes: {},
  converse(): Conversation {
    const { parameter = 'token' } = this
    return { hear: (message) => takeParameter(message, connectionParams, parameter), say: () => undefined }
  },
}
