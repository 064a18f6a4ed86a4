import { UnavailableError } from '../../src/index.js'
import { introspection } from '../../src/verifiers/introspection.js'
import { session } from '../../src/verifiers/session.js'
import { jwks, jwt } from '../../src/verifiers/tokens.js'
import { startJsonServer, status } from '../support/json-server.js'
import {
  goodClaims,
  hmac,
  hmacSigner,
  now,
  rules,
  type Signer,
  secret,
  signingPair,
  tokenBy,
} from '../support/tokens.js'
import { dependentVerifierContract, verifierContract } from './verifier.js'

const pair = signingPair('ES256', 'key-1')

const badTokens = (signer: Signer, stranger: Signer) => ({
  'another key': tokenBy(stranger),
  'no subject': tokenBy(signer, { claims: { sub: undefined } }),
  'another issuer': tokenBy(signer, { claims: { iss: 'https://other.example.com' } }),
  'another audience': tokenBy(signer, { claims: { aud: 'https://other.example.com' } }),
  expired: tokenBy(signer, { claims: { exp: now / 1000 - 10, iat: now / 1000 - 20 } }),
})

verifierContract('jwt with a secret', async () => ({
  verify: jwt({ secret, algorithms: ['HS256'], ...rules }),
  now,
  good: tokenBy(hmac),
  id: 'ada',
  bad: badTokens(hmac, hmacSigner('another secret that is long enough')),
}))

verifierContract('jwt with a public key', async () => ({
  verify: jwt({ publicKey: pair.publicKey, algorithms: ['ES256'], ...rules }),
  now,
  good: tokenBy(pair),
  id: 'ada',
  bad: badTokens(pair, signingPair('ES256', 'key-1')),
}))

dependentVerifierContract('jwt with a key set', async () => {
  const server = await startJsonServer({ keys: [pair.jwk()] })
  return {
    verify: jwt({ jwks: jwks(server.url), algorithms: ['ES256'], ...rules }),
    now,
    good: tokenBy(pair),
    id: 'ada',
    bad: { ...badTokens(pair, signingPair('ES256', 'key-1')), 'unknown key': tokenBy(signingPair('ES256', 'key-2')) },
    breakDependency: () => {
      server.answer = status(500)
    },
  }
})

dependentVerifierContract('introspection', async () => {
  const known: Record<string, object> = {
    good: { active: true, ...goodClaims() },
    expired: { active: true, ...goodClaims({ exp: now / 1000 - 10 }) },
    foreign: { active: true, ...goodClaims({ aud: 'https://other.example.com' }) },
  }
  const server = await startJsonServer((response, { body }) => {
    const token = new URLSearchParams(body).get('token') ?? ''
    response.end(JSON.stringify((Object.hasOwn(known, token) ? known[token] : undefined) ?? { active: false }))
  })
  return {
    verify: introspection({ endpoint: server.url, clientId: 'chat', clientSecret: 'secret', ...rules }),
    now,
    good: 'good',
    id: 'ada',
    bad: { unknown: 'unknown', expired: 'expired', foreign: 'foreign', 'no token': 'two words' },
    breakDependency: () => {
      server.answer = status(500)
    },
  }
})

dependentVerifierContract('session', async () => {
  let up = true
  const sessions = new Map([
    ['good', { identity: { id: 'ada' }, expiresAt: now + 1000 }],
    ['expired', { identity: { id: 'ada' }, expiresAt: now }],
  ])
  return {
    verify: session(async (value) => {
      if (!up) throw new UnavailableError('the database is down')
      return sessions.get(value)
    }),
    now,
    good: 'good',
    id: 'ada',
    bad: { unknown: 'unknown', expired: 'expired' },
    breakDependency: () => {
      up = false
    },
  }
})
