import {
  type Clock,
  cookie,
  createGuard,
  firstMessage,
  type Guard,
  header,
  type Identity,
  query,
  type Store,
  session,
  subprotocol,
  ticket,
} from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { cookieName } from './session-cookie.js'
import type { Sessions } from './sessions.js'
import { audience, issuer } from './tokens.js'

/** What the playground's guard is made of. */
export interface GateOptions {
  readonly origins: readonly string[]
  /** The key of the tokens. */
  readonly secret: Uint8Array
  readonly sessions: Sessions
  readonly clock: Clock
  /** What nodes share; absent: this node is alone. */
  readonly store?: Store
}

/** The playground's guard: all six ways in, for its own pages. */
export function createGate({ origins, secret, sessions, clock, store }: GateOptions): Guard<Identity> {
  const verify = jwt({ secret, algorithms: ['HS256'], issuer, audience })
  const findSession = session(async (value) => {
    const found = await sessions.find(value)
    return found ? { identity: { id: found.user, issuer }, expiresAt: found.expiresAt, session: found.id } : null
  })
  return createGuard({
    origins,
    protocols: ['sallyport-playground'],
    accept: [
      ticket(),
      query({ verify }),
      header({ verify }),
      cookie({ name: cookieName, verify: findSession }),
      subprotocol({ verify }),
      firstMessage({ verify }),
    ],
    clock,
    ...(store && { store }),
    connectionsPerIdentity: { max: 20, whenFull: 'replace' },
    // Whoever breaks things here on purpose should not have to wait after the tenth.
    limits: { failedAttempts: 100 },
  })
}
