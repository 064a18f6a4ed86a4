import type { Dialect } from './dialect.js'

/** The protocol of Yjs, as the client of y-websocket speaks it: that stops at 4400 to 4499, and retries all others for ever. */
export const yjs: Dialect = {
  closeCodes: {
    unauthenticated: 4401,
    timeout: 4408,
    forbidden: 4403,
    replaced: 4409,
    revoked: 4403,
    badRequest: 4400,
    credentialTooLarge: 4431,
  },
}
