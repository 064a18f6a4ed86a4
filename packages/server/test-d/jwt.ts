import type { Server } from 'node:http'
import { createGuard, header, type Identity, introspection, type Verifier } from '@sallyport/server'
import {
  discover,
  type FoundKeys,
  type Jwks,
  jwks,
  jwt,
  type KeyHeader,
  type KeySource,
  logoutToken,
  oidc,
} from '@sallyport/server/jwt'
import { guardServer } from '@sallyport/server/ws'
import { type Equals, expectFalse, expectTrue, type IsAny } from './types.js'

declare const server: Server
declare const secret: string
const issuer = 'https://id.example.com'
const audience = 'https://api.example.com'

jwt({ secret, algorithms: ['HS256'], issuer, audience })
// @ts-expect-error: whose tokens
jwt({ secret, algorithms: ['HS256'], audience })
// @ts-expect-error: tokens for whom
jwt({ secret, algorithms: ['HS256'], issuer })
// @ts-expect-error: signed how
jwt({ secret, issuer, audience })
// @ts-expect-error: signed by whom
jwt({ algorithms: ['HS256'], issuer, audience })
// @ts-expect-error: `none` is no signature
jwt({ secret, algorithms: ['none'], issuer, audience })
// @ts-expect-error: a shared secret serves no algorithm of public keys
jwt({ secret, algorithms: ['RS256'], issuer, audience })
// @ts-expect-error: a public key serves as no shared secret
jwt({ publicKey: 'pem', algorithms: ['HS256'], issuer, audience })
// @ts-expect-error: one kind of key
jwt({ secret, jwks: 'https://id.example.com/keys', algorithms: ['HS256'], issuer, audience })
jwt({ publicKey: 'pem', algorithms: ['ES256'], issuer, audience })
jwt({ jwks: 'https://id.example.com/keys', algorithms: ['RS256', 'EdDSA'], issuer, audience })

// The identity is typed, by default and by `identify`.
const plain = jwt({ secret, algorithms: ['HS256'], issuer, audience })
const plainGuard = createGuard({ accept: [header({ verify: plain })] })
guardServer(server, plainGuard, { path: '/ws' }, (_, { identity }) => {
  expectFalse<IsAny<typeof identity>>()
  const id: string = identity.id
  void id
})

interface Person extends Identity {
  readonly team: string
}
const identified = jwt({
  secret,
  algorithms: ['HS256'],
  issuer,
  audience,
  identify: ({ sub }): Person | undefined => (sub === undefined ? undefined : { id: sub, team: 'blue' }),
})
expectTrue<Equals<typeof identified, Verifier<Person>>>()
const identifiedGuard = createGuard({ accept: [header({ verify: identified })] })
guardServer(server, identifiedGuard, { path: '/ws' }, (_, { identity }) => {
  expectTrue<Equals<typeof identity, Person>>()
})

// For whom: by `aud`, or by the client, and never by both or none.
jwt({ secret, algorithms: ['HS256'], issuer, authorizedParties: ['chat'] })
// @ts-expect-error: two answers to one question
jwt({ secret, algorithms: ['HS256'], issuer, audience, authorizedParties: ['chat'] })

// By whom: a text, several, or what a function knows at once.
jwt({ secret, algorithms: ['HS256'], issuer: [issuer], audience })
jwt({ secret, algorithms: ['HS256'], issuer: (iss) => iss === issuer, audience })
// @ts-expect-error: a promise is no answer
jwt({ secret, algorithms: ['HS256'], issuer: async () => true, audience })

// The fetch of the runtime fits, and so does one around it.
declare const agent: object
jwks('https://id.example.com/keys', { fetch })
jwks('https://id.example.com/keys', { fetch: (url, init) => fetch(url, { ...init, ...agent }) })
introspection({ endpoint: issuer, clientId: 'chat', clientSecret: secret, issuer, audience, fetch })
// @ts-expect-error: for whom
introspection({ endpoint: issuer, clientId: 'chat', clientSecret: secret, issuer })

// By the issuer's name alone, with the same rules.
expectTrue<Equals<ReturnType<typeof oidc>, typeof plain>>()
oidc({ issuer, algorithms: ['ES256'], audience, jwks: { fetch, timeout: 1_000 } })
const named = oidc({
  issuer,
  algorithms: ['ES256'],
  authorizedParties: 'chat',
  identify: ({ sub }): Person | undefined => (sub === undefined ? undefined : { id: sub, team: 'blue' }),
})
expectTrue<Equals<typeof named, Verifier<Person>>>()
// @ts-expect-error: tokens for whom
oidc({ issuer, algorithms: ['ES256'] })
// @ts-expect-error: signed how
oidc({ issuer, audience })
// @ts-expect-error: a name, to the letter
oidc({ issuer: (iss: string) => iss === issuer, algorithms: ['ES256'], audience })
// @ts-expect-error: a provider publishes no shared secret
oidc({ issuer, algorithms: ['HS256'], audience })

// The keys of one provider for both.
const shared: Jwks = discover(issuer)
jwt({ jwks: shared, algorithms: ['ES256'], issuer, audience })
logoutToken({ jwks: shared, algorithms: ['ES256'], issuer, audience: 'chat' })
const source: KeySource = shared
const find: (header: KeyHeader, now: number) => FoundKeys | Promise<FoundKeys> = source.find
void find
