import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** The moment at which the tests of verifiers happen. */
export const now = Date.UTC(2026, 0, 1)

export const issuer = 'https://id.example.com'
export const audience = 'https://api.example.com'
/** What every verifier asks of a token. */
export const rules = { issuer, audience }

/** A secret for HS256, and what signs with it. */
export const secret = 'a secret of at least 32 bytes, for HS256'

/** Something that signs, made of node:crypto alone, so that a forgery needs no help of the library under test. */
export interface Signer {
  readonly alg: string
  readonly kid?: string
  sign(input: string): Buffer
}

/** A key pair: what signs, and what the verifier gets. */
export interface SigningPair extends Signer {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** The public key as a member of a key set; `changes` replace or, being `undefined`, remove. */
  jwk(changes?: Record<string, unknown>): Record<string, unknown>
}

export const hmacSigner = (secret: string | Uint8Array, alg = 'HS256'): Signer => ({
  alg,
  sign: (input) =>
    createHmac(`sha${alg.slice(2)}`, secret)
      .update(input)
      .digest(),
})

export const hmac = hmacSigner(secret)

/** Signs with a private key; ECDSA as JWS wants it, or in another encoding. */
export function keySigner(
  key: KeyObject,
  alg: string,
  kid?: string,
  dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363',
): Signer {
  const digest = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  const pss = alg.startsWith('PS') ? { padding, saltLength } : {}
  return {
    alg,
    ...(kid !== undefined && { kid }),
    sign: (input) => sign(digest, Buffer.from(input), { key, dsaEncoding, ...pss }),
  }
}

/** A fresh key pair for `alg`; RSA of `bits`. */
export function signingPair(alg: string, kid?: string, bits = 2048): SigningPair {
  const { publicKey, privateKey } = generate(alg, bits)
  return {
    ...keySigner(privateKey, alg, kid),
    publicKey,
    privateKey,
    jwk: (changes = {}) => ({ ...publicKey.export({ format: 'jwk' }), alg, kid, use: 'sig', ...changes }),
  }
}

const namedCurves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

function generate(alg: string, bits: number) {
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519')
  const namedCurve = namedCurves[alg]
  return namedCurve ? generateKeyPairSync('ec', { namedCurve }) : generateKeyPairSync('rsa', { modulusLength: bits })
}

/** Claims of a good token; `changes` replace or, being `undefined`, remove. */
export const goodClaims = (changes: Record<string, unknown> = {}) => ({
  iss: issuer,
  aud: audience,
  sub: 'ada',
  iat: now / 1000 - 10,
  exp: now / 1000 + 290,
  jti: 'token-1',
  ...changes,
})

/** How a token differs from a good one. Text stands for itself, an object for changes to the usual parts. */
export interface TokenChanges {
  readonly header?: Record<string, unknown> | string
  readonly claims?: Record<string, unknown> | string
}

/** Writes a token that is good but for `changes`, with a signature that is right in any case. */
export function tokenBy(signer: Signer, { header = {}, claims = {} }: TokenChanges = {}): string {
  const { alg, kid } = signer
  const head = typeof header === 'string' ? header : JSON.stringify({ alg, kid, typ: 'at+jwt', ...header })
  const body = typeof claims === 'string' ? claims : JSON.stringify(goodClaims(claims))
  const input = `${base64url(head)}.${base64url(body)}`
  return `${input}.${base64url(signer.sign(input))}`
}

export const base64url = (data: string | Uint8Array): string => Buffer.from(data).toString('base64url')

/** The token with its signature replaced. */
export const withSignature = (token: string, signature: string | Uint8Array): string =>
  `${token.slice(0, token.lastIndexOf('.'))}.${typeof signature === 'string' ? signature : base64url(signature)}`

/** The bytes of the token's signature. */
export const signatureOf = (token: string): Buffer => Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
