import { constants, createPublicKey, sign } from 'node:crypto'
import { EncryptJWT, FlattenedSign } from 'jose'
import { expect, it } from 'vitest'
import { ConfigurationError } from '../../src/index.js'
import { jwks, jwt } from '../../src/verifiers/tokens.js'
import { startJsonServer } from '../support/json-server.js'
import {
  base64url,
  goodClaims,
  hmac,
  hmacSigner,
  keySigner,
  rules,
  secret,
  signatureOf,
  signingPair,
  tokenBy,
  withSignature,
} from '../support/tokens.js'
import { accepted, refused } from '../support/verification.js'

const rsa = signingPair('RS256', 'rsa')
const ec = signingPair('ES256', 'ec')
const bySecret = jwt({ secret, algorithms: ['HS256'], ...rules })
const byRsa = jwt({ publicKey: rsa.publicKey, algorithms: ['RS256'], ...rules })
const byEc = jwt({ publicKey: ec.publicKey, algorithms: ['ES256'], ...rules })

it.each([
  ['none', 'none'],
  ['none in capitals', 'NONE'],
  ['none in mixed case', 'noNE'],
  ['the right one in lower case', 'hs256'],
  ['empty', ''],
  ['missing', undefined],
  ['an array', ['HS256']],
  ['null', null],
  ['another that the key could serve', 'HS384'],
  ['a name that every object has', 'constructor'],
])('B01 refuses an alg that is %s', async (_, alg) => {
  await accepted(bySecret, tokenBy(hmac, { header: { alg: 'HS256' } }))
  await refused(bySecret, tokenBy(hmac, { header: { alg } }), 'token-algorithm')
})

it('B01 refuses alg none without a signature', async () => {
  const [, claims] = tokenBy(hmac).split('.')
  await refused(bySecret, `${base64url('{"alg":"none"}')}.${claims}.`, 'credential-unreadable')
})

const spki = rsa.publicKey.export({ format: 'pem', type: 'spki' })

it.each([
  ['PEM', spki],
  ['PEM without its last line end', spki.toString().trimEnd()],
  ['DER', rsa.publicKey.export({ format: 'der', type: 'spki' })],
  ['PKCS #1 PEM', rsa.publicKey.export({ format: 'pem', type: 'pkcs1' })],
  ['JWK', JSON.stringify(rsa.jwk())],
  ['modulus', Buffer.from(`${rsa.jwk().n}`, 'base64url')],
])('B02 refuses HS256 signed with the public key as %s', async (_, text) => {
  const confused = hmacSigner(text)
  await refused(byRsa, tokenBy(confused, { header: { kid: 'rsa' } }), 'token-algorithm')
  await accepted(byRsa, tokenBy(rsa))
})

it('B02 refuses HS256 signed with a key of the set that names no alg', async () => {
  const server = await startJsonServer({ keys: [rsa.jwk({ alg: undefined, use: undefined })] })
  const verify = jwt({ jwks: server.url, algorithms: ['RS256'], ...rules })
  await refused(verify, tokenBy(hmacSigner(spki.toString()), { header: { kid: 'rsa' } }), 'token-algorithm')
  await accepted(verify, tokenBy(rsa))
})

it('B02 takes a PEM with white space around it for what it is', async () => {
  await accepted(jwt({ publicKey: `\n\n${spki}\n\n`, algorithms: ['RS256'], ...rules }), tokenBy(rsa))
})

it('B02 does not start with HMAC algorithms for a public key, nor others for a secret', () => {
  const algorithms = ['HS256'] as never
  expect(() => jwt({ publicKey: spki.toString(), algorithms, ...rules })).toThrow(ConfigurationError)
  expect(() => jwt({ jwks: 'https://id.example.com/jwks', algorithms, ...rules })).toThrow(ConfigurationError)
  expect(() => jwt({ secret, algorithms: ['RS256'] as never, ...rules })).toThrow(ConfigurationError)
})

it('B02 keeps a key of the set to the alg that it carries', async () => {
  const pss = keySigner(rsa.privateKey, 'PS256', 'rsa')
  const server = await startJsonServer({ keys: [rsa.jwk({ alg: 'RS256' })] })
  const verify = jwt({ jwks: jwks(server.url), algorithms: ['RS256', 'PS256'], ...rules })
  await accepted(verify, tokenBy(rsa))
  await refused(verify, tokenBy(pss), 'token-key')
  server.answer = { keys: [rsa.jwk({ alg: undefined })] }
  const liberal = jwt({ jwks: server.url, algorithms: ['RS256', 'PS256'], ...rules })
  await accepted(liberal, tokenBy(pss))
})

it('B02 takes no signature of one RSA algorithm for that of another', async () => {
  const names = ['RS256', 'RS512', 'PS256', 'PS512'] as const
  const verify = jwt({ publicKey: rsa.publicKey, algorithms: names, ...rules })
  for (const alg of names) {
    for (const name of names) {
      const token = tokenBy(keySigner(rsa.privateKey, name), { header: { alg } })
      await (alg === name ? accepted(verify, token) : refused(verify, token, 'token-signature'))
    }
  }
})

it.each(['jwk', 'jku', 'x5u', 'x5c'])('B03 takes no key from the header: %s', async (parameter) => {
  const attacker = signingPair('RS256', 'rsa')
  const server = await startJsonServer({ keys: [attacker.jwk()] })
  const values: Record<string, unknown> = { jwk: attacker.jwk(), jku: server.url, x5u: server.url, x5c: ['MIIB'] }
  const header = { [parameter]: values[parameter] }
  await refused(byRsa, tokenBy(attacker, { header }), 'token-signature')
  await accepted(byRsa, tokenBy(rsa, { header }))
  expect(server.received).toEqual([])
})

it('B04 refuses every signature but the right one', async () => {
  for (const [verify, signer] of [
    [bySecret, hmac],
    [byRsa, rsa],
    [byEc, ec],
  ] as const) {
    const token = tokenBy(signer)
    const signature = signatureOf(token)
    const changed = Buffer.from(signature)
    changed[0]! ^= 1
    const stranger =
      signer === hmac ? hmacSigner('another secret of 32 bytes or more') : signingPair(signer.alg, signer.kid)
    await refused(verify, tokenBy(stranger), 'token-signature')
    await refused(verify, withSignature(token, changed), 'token-signature')
    await refused(verify, withSignature(token, signature.subarray(0, -1)), 'token-signature')
    await refused(verify, withSignature(token, Buffer.concat([signature, Buffer.alloc(1)])), 'token-signature')
    await refused(verify, withSignature(token, 'AA'), 'token-signature')
    await refused(verify, withSignature(token, ''), 'credential-unreadable')
    await refused(verify, withSignature(tokenBy(signer, { claims: { sub: 'bob' } }), signature), 'token-signature')
    await accepted(verify, token)
  }
})

it.each([
  ['an unknown critical extension', { crit: ['exp2'], exp2: 1 }],
  ['a critical extension that is missing', { crit: ['exp2'] }],
  ['an empty crit', { crit: [] }],
  ['crit that is no array', { crit: 'b64' }],
  ['b64 that is critical and true', { crit: ['b64'], b64: true }],
  ['b64 that is critical and false', { crit: ['b64'], b64: false }],
  ['b64 false', { b64: false }],
])('B12 refuses %s', async (_, header) => {
  await accepted(bySecret, tokenBy(hmac))
  await refused(bySecret, tokenBy(hmac, { header }), 'token-type')
})

it('B12 takes an extension that is not critical', async () => {
  await accepted(bySecret, tokenBy(hmac, { header: { exp2: 1 } }))
})

it('B13 refuses an encrypted token', async () => {
  const encrypted = await new EncryptJWT(goodClaims())
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(new Uint8Array(32))
  await refused(bySecret, encrypted, 'credential-unreadable')
  await accepted(bySecret, tokenBy(hmac))
})

it('B13 does no work for the password of an encrypted token', async () => {
  const header = base64url('{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AAAA","zip":"DEF"}')
  const started = performance.now()
  await refused(bySecret, `${header}.AAAA.AAAA.AAAA.AAAA`, 'credential-unreadable')
  await refused(bySecret, `${header}.AAAA.AAAA`, 'token-algorithm')
  expect(performance.now() - started).toBeLessThan(1_000)
})

it('B14 refuses the JSON serialization', async () => {
  const payload = new TextEncoder().encode(JSON.stringify(goodClaims()))
  const key = new TextEncoder().encode(secret)
  const json = await new FlattenedSign(payload).setProtectedHeader({ alg: 'HS256' }).sign(key)
  await refused(bySecret, JSON.stringify(json), 'credential-unreadable')
  await accepted(bySecret, `${json.protected}.${json.payload}.${json.signature}`)
})

it('B19 refuses an ECDSA signature of zeros, in DER, or too short', async () => {
  const token = tokenBy(ec)
  await accepted(byEc, token)
  await refused(byEc, withSignature(token, Buffer.alloc(64)), 'token-signature')
  await refused(byEc, withSignature(token, signatureOf(token).subarray(0, 63)), 'token-signature')
  await refused(byEc, tokenBy(keySigner(ec.privateKey, 'ES256', 'ec', 'der')), 'token-signature')
})

it.each(['ES256', 'ES384', 'ES512'] as const)('B19 takes an %s signature of its exact size only', async (alg) => {
  const pair = signingPair(alg)
  const verify = jwt({ publicKey: pair.publicKey, algorithms: [alg], ...rules })
  const token = tokenBy(pair)
  const signature = signatureOf(token)
  const [r, s] = [signature.subarray(0, signature.length / 2), signature.subarray(signature.length / 2)]
  const zero = Buffer.alloc(1)
  await accepted(verify, token)
  for (const parts of [[zero, r, s], [r, s, zero], [zero, r, zero, s], [r.subarray(1), s.subarray(1)], [r]]) {
    await refused(verify, withSignature(token, Buffer.concat(parts)), 'token-signature')
  }
})

it('B19 takes an RSA-PSS signature only with a salt as long as the hash', async () => {
  const verify = jwt({ publicKey: rsa.publicKey, algorithms: ['PS256'], ...rules })
  const token = tokenBy(keySigner(rsa.privateKey, 'PS256'))
  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  const padding = constants.RSA_PKCS1_PSS_PADDING
  for (const saltLength of [0, 20, 31, 32, 33, 64]) {
    const salted = withSignature(token, sign('sha256', input, { key: rsa.privateKey, padding, saltLength }))
    await (saltLength === 32 ? accepted(verify, salted) : refused(verify, salted, 'token-signature'))
  }
})

it('B19 does not start with an RSA key of less than 2048 bits', () => {
  const weak = signingPair('RS256', 'weak', 2040)
  const options = { algorithms: ['RS256'] as const, ...rules }
  for (const key of [weak.publicKey, weak.jwk(), weak.publicKey.export({ format: 'pem', type: 'spki' }).toString()]) {
    expect(() => jwt({ publicKey: key, ...options })).toThrow(ConfigurationError)
  }
  expect(() => jwt({ publicKey: rsa.jwk(), ...options })).not.toThrow()
  expect(() => jwt({ publicKey: createPublicKey(spki), ...options })).not.toThrow()
})

it.each([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
] as const)('B19 does not start with a secret that is too short for %s', async (alg, bytes) => {
  const options = { algorithms: [alg], ...rules }
  for (const short of ['', 'x'.repeat(bytes - 1), new Uint8Array(bytes - 1)]) {
    expect(() => jwt({ secret: short, ...options })).toThrow(ConfigurationError)
    expect(() => jwt({ secret: ['x'.repeat(bytes), short], ...options })).toThrow(ConfigurationError)
  }
  await accepted(jwt({ secret: 'x'.repeat(bytes), ...options }), tokenBy(hmacSigner('x'.repeat(bytes), alg)))
})
