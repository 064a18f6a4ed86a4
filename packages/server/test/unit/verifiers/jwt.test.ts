import { generateKeyPairSync, type JsonWebKey, type KeyObject, webcrypto } from 'node:crypto'
import type { JWK } from 'jose'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { ConfigurationError, type Identity, UnavailableError, type Verifier } from '../../../src/index.js'
import {
  type JwtOptions,
  jwt,
  type PublicKey,
  type PublicKeyAlgorithm,
  type TokenIdentity,
} from '../../../src/verifiers/tokens.js'
import { startJsonServer } from '../../support/json-server.js'
import {
  goodClaims,
  hmac,
  hmacSigner,
  issuer,
  keySigner,
  now,
  rules,
  secret,
  signingPair,
  tokenBy,
} from '../../support/tokens.js'
import { accepted, contextAt, refused } from '../../support/verification.js'

const bySecret = { secret, algorithms: ['HS256'], ...rules } as const

describe('keys', () => {
  it.each(['HS256', 'HS384', 'HS512'] as const)('verifies %s', async (alg) => {
    const long = 'x'.repeat(64)
    const verify = jwt({ secret: long, algorithms: ['HS256', 'HS384', 'HS512'], ...rules })
    await accepted(verify, tokenBy(hmacSigner(long, alg)))
    await refused(verify, tokenBy(hmacSigner('y'.repeat(64), alg)), 'token-signature')
  })

  const families: PublicKeyAlgorithm[][] = [
    ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ['ES256'],
    ['ES384'],
    ['ES512'],
    ['EdDSA', 'Ed25519'],
  ]
  it.each(families)('verifies %s by a key in any form', async (...algorithms) => {
    const given = algorithms.filter(Boolean)
    const pair = signingPair(given[0]!)
    const stranger = signingPair(given[0]!)
    const importAs = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    const forms = [
      pair.publicKey,
      pair.publicKey.export({ format: 'jwk' }),
      pair.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      ...(given[0] === 'RS256'
        ? [
            pair.publicKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
            await webcrypto.subtle.importKey('jwk', pair.publicKey.export({ format: 'jwk' }), importAs, true, [
              'verify',
            ]),
          ]
        : []),
    ]
    for (const publicKey of forms) {
      const verify = jwt({ publicKey, algorithms: given, ...rules })
      for (const alg of given) {
        await accepted(verify, tokenBy(keySigner(pair.privateKey, alg)))
        await refused(verify, tokenBy(keySigner(stranger.privateKey, alg)), 'token-signature')
      }
    }
  })

  it('tries each secret while one replaces the other', async () => {
    const next = Buffer.alloc(32, 7)
    const verify = jwt({ ...bySecret, secret: [next, secret] })
    await accepted(verify, tokenBy(hmac))
    await accepted(verify, tokenBy(hmacSigner(next)))
    await refused(verify, tokenBy(hmacSigner('another secret of 32 bytes or more')), 'token-signature')
  })

  it('tries each public key, whatever the kid', async () => {
    const [old, next] = [signingPair('ES256', 'old'), signingPair('ES256', 'next')]
    const publicKey = [old.publicKey, next.jwk({ kid: 'other' })]
    const verify = jwt({ publicKey, algorithms: ['ES256'], ...rules })
    await accepted(verify, tokenBy(old))
    await accepted(verify, tokenBy(next))
    await refused(verify, tokenBy(signingPair('ES256', 'old')), 'token-signature')
  })

  it('judges the claims by the key that signed them, wherever it stands', async () => {
    const other = 'another secret of 32 bytes or more'
    for (const secrets of [
      [other, secret],
      [secret, other],
    ]) {
      const verify = jwt({ ...bySecret, secret: secrets })
      await refused(verify, tokenBy(hmac, { claims: { aud: 'other' } }), 'token-audience')
      await accepted(verify, tokenBy(hmac))
    }
  })

  it('fetches a key set by its URL', async () => {
    const pair = signingPair('ES256', 'key-1')
    const server = await startJsonServer({ keys: [pair.jwk()] })
    for (const url of [server.url, new URL(server.url)]) {
      await accepted(jwt({ jwks: url, algorithms: ['ES256'], ...rules }), tokenBy(pair))
    }
  })

  it('cannot know when nobody answers at that URL', async () => {
    const verify = jwt({ jwks: 'http://127.0.0.1:1/', algorithms: ['ES256'], ...rules })
    const token = tokenBy(signingPair('ES256', 'key-1'))
    await expect(async () => verify(token, contextAt())).rejects.toThrow(UnavailableError)
  })
})

describe('identity', () => {
  it('is who the token speaks of', async () => {
    const claims = { sid: 'login-1', scope: 'read write', team: { name: 'blue' } }
    const verified = await accepted(jwt(bySecret), tokenBy(hmac, { claims }))
    expect(verified).toEqual({
      identity: { id: 'ada', issuer, scopes: ['read', 'write'], claims: goodClaims(claims) },
      issuedAt: now - 10_000,
      expiresAt: now + 290_000,
      session: 'login-1',
      token: 'token-1',
    })
  })

  it('belongs to the session sid, or else to the token', async () => {
    const sessionOf = async (claims: Record<string, unknown>) =>
      (await accepted(jwt(bySecret), tokenBy(hmac, { claims }))).session
    expect(await sessionOf({ sid: 'login-1' })).toBe('login-1')
    expect(await sessionOf({})).toBe('token-1')
    expect(await sessionOf({ jti: undefined })).toBeUndefined()
  })

  it('is what identify makes of the claims', async () => {
    const verify = jwt({
      ...bySecret,
      identify: ({ user, tenant }) =>
        typeof user === 'string' && typeof tenant === 'string'
          ? { id: user, tenant, role: 'guest' as const }
          : undefined,
    })
    expectTypeOf(verify).toEqualTypeOf<Verifier<{ id: string; tenant: string; role: 'guest' }>>()
    const claims = { sub: undefined, user: 'bob', tenant: 'acme' }
    const { identity } = await accepted(verify, tokenBy(hmac, { claims }))
    expect(identity).toEqual({ id: 'bob', tenant: 'acme', role: 'guest' })
    await refused(verify, tokenBy(hmac), 'credential-unknown')
  })

  it('is not swallowed when identify throws', async () => {
    const verify = jwt({
      ...bySecret,
      identify: () => {
        throw new RangeError('a bug')
      },
    })
    await expect(async () => verify(tokenBy(hmac), contextAt())).rejects.toThrow(RangeError)
  })

  it('has a type, which is never any', () => {
    expectTypeOf(jwt(bySecret)).toEqualTypeOf<Verifier<TokenIdentity>>()
    expectTypeOf(jwt({ ...bySecret, identify: ({ user }) => JSON.parse(`${user}`) })).toEqualTypeOf<
      Verifier<Identity>
    >()
  })

  it('is read from claims of the name "rejected" like from any', async () => {
    await accepted(jwt(bySecret), tokenBy(hmac, { claims: { rejected: 'credential-unknown' } }))
  })
})

describe('options', () => {
  const pair = signingPair('ES256')
  const good: Record<string, unknown> = { ...bySecret }

  it.each<[string, Record<string, unknown>]>([
    ['no key', { secret: undefined }],
    ['two keys', { publicKey: pair.publicKey }],
    ['no secret in a list', { secret: [] }],
    ['a secret that is a number', { secret: 5 }],
    ['no algorithms', { algorithms: undefined }],
    ['an empty list of algorithms', { algorithms: [] }],
    ['an unknown algorithm', { algorithms: ['HS256', 'HS257'] }],
    ['the algorithm none', { algorithms: ['none'] }],
    ['no issuer', { issuer: undefined }],
    ['an empty issuer', { issuer: '' }],
    ['no issuer in a list', { issuer: [] }],
    ['no audience', { audience: undefined }],
    ['an empty audience', { audience: [''] }],
    ['a leeway over a minute', { leeway: 61 }],
    ['a leeway below zero', { leeway: -1 }],
    ['a leeway that is no number', { leeway: '5' }],
    ['a lifetime without end', { maxLifetime: Number.POSITIVE_INFINITY }],
    ['a lifetime that is no number', { maxLifetime: Number.NaN }],
    ['a cache without end', { cacheSize: Number.POSITIVE_INFINITY }],
  ])('do not start with %s', (_, change) => {
    expect(() => jwt({ ...good, ...change } as unknown as JwtOptions)).toThrow(ConfigurationError)
    expect(() => jwt(good as unknown as JwtOptions)).not.toThrow()
  })

  it.each<[string, unknown]>([
    ['a private key object', pair.privateKey],
    ['a private JWK', pair.privateKey.export({ format: 'jwk' })],
    ['a private PEM', pair.privateKey.export({ format: 'pem', type: 'pkcs8' })],
    ['a secret JWK', { kty: 'oct', k: 'AAAA' }],
    ['text that is no PEM', 'not a key'],
    ['a JWK without a point', pair.jwk({ x: undefined })],
    ['a JWK for another algorithm', pair.jwk({ alg: 'ES384' })],
    ['a JWK for encryption', pair.jwk({ use: 'enc' })],
    ['a JWK for signing', pair.jwk({ key_ops: ['sign'] })],
    ['a key of another algorithm', signingPair('ES384').publicKey],
    ['an empty list', []],
    ['null', null],
  ])('do not start with a public key that is %s', (_, publicKey) => {
    const options = { algorithms: ['ES256'], ...rules }
    expect(() => jwt({ ...options, publicKey } as unknown as JwtOptions)).toThrow(ConfigurationError)
    expect(() => jwt({ ...options, publicKey: pair.publicKey } as unknown as JwtOptions)).not.toThrow()
  })

  const rsa = signingPair('RS256').publicKey
  const kinds: [PublicKeyAlgorithm, KeyObject][] = [
    ['RS256', rsa],
    ['PS256', rsa],
    ['ES256', pair.publicKey],
    ['ES384', signingPair('ES384').publicKey],
    ['ES512', signingPair('ES512').publicKey],
    ['EdDSA', signingPair('EdDSA').publicKey],
  ]
  const others = [
    generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey,
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey,
    generateKeyPairSync('x25519').publicKey,
  ]
  it.each(kinds)('do not start with %s and a key of another kind', (algorithm, own) => {
    for (const publicKey of [...kinds.map(([, key]) => key), ...others]) {
      const start = () => jwt({ publicKey, algorithms: [algorithm], ...rules })
      if (publicKey === own) expect(start).not.toThrow()
      else expect(start).toThrow(ConfigurationError)
    }
  })

  it.each(['http://id.example.com/jwks', 'https://user:secret@id.example.com/', 'file:///jwks', 'jwks', ''])(
    'do not start with the key set %j',
    (url) => {
      const options = { algorithms: ['ES256'], ...rules } as const
      expect(() => jwt({ ...options, jwks: url })).toThrow(ConfigurationError)
      expect(() => jwt({ ...options, jwks: 'https://id.example.com/jwks' })).not.toThrow()
    },
  )

  it('take one algorithm written as text, as JavaScript may', async () => {
    const verify = jwt({ ...good, algorithms: 'HS256' } as unknown as JwtOptions)
    await accepted(verify, tokenBy(hmac))
  })

  it('take a JWK as libraries type it', () => {
    expectTypeOf<JsonWebKey | webcrypto.JsonWebKey | JWK>().toExtend<PublicKey>()
  })

  it('are checked by their types', () => {
    // @ts-expect-error issuer and audience are required
    expect(() => jwt({ secret, algorithms: ['HS256'] })).toThrow(ConfigurationError)
    // @ts-expect-error algorithms are required
    expect(() => jwt({ secret, ...rules })).toThrow(ConfigurationError)
    // @ts-expect-error a secret has no public key algorithms
    expect(() => jwt({ secret, algorithms: ['RS256'], ...rules })).toThrow(ConfigurationError)
    // @ts-expect-error a public key has no secret algorithms
    expect(() => jwt({ publicKey: pair.publicKey, algorithms: ['HS256'], ...rules })).toThrow(ConfigurationError)
    // @ts-expect-error exactly one key
    expect(() => jwt({ publicKey: pair.publicKey, secret, algorithms: ['HS256'], ...rules })).toThrow(
      ConfigurationError,
    )
  })
})
