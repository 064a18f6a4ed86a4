import { cookie, firstMessage, hash, header, query, session, subprotocol, ticket } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { origins, secret, trustedProxies } from './config.js'
import { audience, issuer, sessionCookie, sessions } from './sessions.js'

const verify = jwt({ secret, algorithms: ['HS256'], issuer, audience })

const findSession = session((value) => {
  const found = sessions.get(hash(value))
  return found && { identity: { id: found.user, issuer }, expiresAt: found.expiresAt, session: found.session }
})

/** The options of every example's guard: all six ways in. Yours has those that you need. */
export const waysIn = {
  origins,
  trustedProxies,
  protocols: ['sallyport-playground', 'graphql-transport-ws', 'mqtt', 'v11.stomp'],
  accept: [
    ticket(),
    query({ verify }),
    header({ verify }),
    cookie({ name: sessionCookie, verify: findSession }),
    subprotocol({ verify }),
    firstMessage({ verify }),
  ] as const,
  // The tests come from one address, and break in on purpose.
  limits: { failedAttempts: 1_000 },
}
