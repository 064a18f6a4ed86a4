import type { Buffer } from 'node:buffer'
import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'

/** A way to sign (RFC 7518 section 3.1). */
interface Algorithm {
  /** Whether a key is of the right kind, and strong enough. */
  takes(key: KeyObject): boolean
  /** Whether a key that it takes made the signature of `data`. */
  verify(key: KeyObject, data: Buffer, signature: Buffer): boolean
}

/** A secret is at least as long as the hash (RFC 7518 section 3.2). */
const hmac = (bits: number): Algorithm => ({
  takes: ({ symmetricKeySize: bytes = 0 }) => bytes * 8 >= bits,
  verify(key, data, signature) {
    const expected = createHmac(`sha${bits}`, key).update(data).digest()
    return signature.length === expected.length && timingSafeEqual(signature, expected)
  },
})

/** A modulus has 2048 bits or more (RFC 7518 sections 3.3 and 3.5). */
const rsa = (bits: number, padding = {}): Algorithm => ({
  takes: ({ asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0 } = {} }) =>
    type === 'rsa' && modulusLength >= 2048,
  verify: (key, data, signature) => verify(`sha${bits}`, data, { key, ...padding }, signature),
})

/** The salt is as long as the hash (RFC 7518 section 3.5). */
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }

/** A signature is two numbers side by side, each as long as those of the curve, and no other (RFC 7518 section 3.4). */
const ecdsa = (bits: number, curve: string): Algorithm => ({
  takes: ({ asymmetricKeyDetails: { namedCurve } = {} }) => namedCurve === curve,
  verify: (key, data, signature) => verify(`sha${bits}`, data, { key, dsaEncoding: 'ieee-p1363' }, signature),
})

const ed25519: Algorithm = {
  takes: ({ asymmetricKeyType: type }) => type === 'ed25519',
  verify: (key, data, signature) => verify(null, data, key, signature),
}

/** Algorithms of shared secrets (RFC 7518 section 3.2). */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'
export const secretAlgorithms: Record<SecretAlgorithm, Algorithm> = {
  HS256: hmac(256),
  HS384: hmac(384),
  HS512: hmac(512),
}

/** Algorithms of key pairs (RFC 7518 sections 3.3 to 3.5, RFC 8037). `Ed25519` is the newer name of `EdDSA` (RFC 9864). */
export type PublicKeyAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'
export const publicKeyAlgorithms: Record<PublicKeyAlgorithm, Algorithm> = {
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: rsa(256, pss),
  PS384: rsa(384, pss),
  PS512: rsa(512, pss),
  ES256: ecdsa(256, 'prime256v1'),
  ES384: ecdsa(384, 'secp384r1'),
  ES512: ecdsa(512, 'secp521r1'),
  EdDSA: ed25519,
  Ed25519: ed25519,
}

const algorithms: Record<string, Algorithm> = { ...secretAlgorithms, ...publicKeyAlgorithms }

/** The algorithm of that name, which must be a known one. */
export const algorithmOf = (name: string): Algorithm => algorithms[name]!
