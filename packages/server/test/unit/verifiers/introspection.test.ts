import { expect, expectTypeOf, it } from 'vitest'
import { ConfigurationError, type Verifier } from '../../../src/index.js'
import { type IntrospectionOptions, introspection, type TokenIdentity } from '../../../src/verifiers/introspection.js'
import { startJsonServer } from '../../support/json-server.js'
import { audience, goodClaims, issuer, now } from '../../support/tokens.js'
import { accepted, refused } from '../../support/verification.js'

const options = { endpoint: 'https://id.example.com/', clientId: 'chat', clientSecret: 'secret', issuer, audience }

it('tells who the token speaks of', async () => {
  const claims = { active: true, ...goodClaims({ sid: 'login-1', scope: 'read', iss: undefined }) }
  const { url } = await startJsonServer(claims)
  const verify = introspection({ ...options, endpoint: url })
  expectTypeOf(verify).toEqualTypeOf<Verifier<TokenIdentity>>()
  expect(await accepted(verify, 'opaque')).toEqual({
    identity: { id: 'ada', issuer, scopes: ['read'], claims: { ...claims, iss: issuer } },
    issuedAt: now - 10_000,
    expiresAt: now + 290_000,
    lookedUpAt: now,
    session: 'login-1',
    token: 'token-1',
  })
})

it('tells whom identify makes of the claims', async () => {
  const server = await startJsonServer({ active: true, ...goodClaims({ sub: undefined, client_id: 'robot' }) })
  const verify = introspection({
    ...options,
    endpoint: server.url,
    identify: ({ client_id }) => (typeof client_id === 'string' ? { id: client_id, robot: true } : undefined),
  })
  expectTypeOf(verify).toEqualTypeOf<Verifier<{ id: string; robot: boolean }>>()
  expect((await accepted(verify, 'opaque')).identity).toEqual({ id: 'robot', robot: true })
  server.answer = { active: true, ...goodClaims() }
  await refused(verify, 'another', 'credential-unknown')
})

it('form-encodes its name and secret, so that a colon in either stays readable', async () => {
  const server = await startJsonServer({ active: true, ...goodClaims() })
  const verify = introspection({ ...options, endpoint: server.url, clientId: 'a:b', clientSecret: 'c d%\u00e9' })
  await accepted(verify, 'opaque')
  expect(server.received[0]?.headers.authorization).toBe(`Basic ${btoa('a%3Ab:c+d%25%C3%A9')}`)
})

it.each<[string, Record<string, unknown>]>([
  ['no endpoint', { endpoint: undefined }],
  ['no client id', { clientId: undefined }],
  ['an empty client secret', { clientSecret: '' }],
  ['no issuer', { issuer: undefined }],
  ['no audience', { audience: undefined }],
  ['no audience in a list', { audience: [] }],
  ['a pattern that remembers', { pattern: /^x$/g }],
  ['a pattern that sticks', { pattern: /^x$/y }],
  ['a leeway over a minute', { leeway: 61 }],
  ['an age over an hour', { maxAge: 3_600_001 }],
  ['no time', { timeout: 0 }],
])('does not start with %s', (_, change) => {
  expect(() => introspection({ ...options, ...change } as unknown as IntrospectionOptions)).toThrow(ConfigurationError)
  expect(() => introspection(options)).not.toThrow()
})
