import { Buffer } from 'node:buffer'
import { createPublicKey, KeyObject, type webcrypto } from 'node:crypto'
import { types } from 'node:util'
import { createLocalJWKSet, errors, type JWK, type LocalJWKSet } from 'jose'
import { ConfigurationError } from '../errors.js'

/** Algorithms of shared secrets (RFC 7518 section 3.2). */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const
export type SecretAlgorithm = (typeof secretAlgorithms)[number]

/** Algorithms of key pairs (RFC 7518 sections 3.3 to 3.5, RFC 8037). `Ed25519` is the newer name of `EdDSA` (RFC 9864). */
export const publicKeyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
export type PublicKeyAlgorithm = (typeof publicKeyAlgorithms)[number]

/** A shared secret: bytes, or text that stands for its UTF-8 bytes. */
export type Secret = string | Uint8Array

/** A public key: PEM (SPKI, PKCS #1 or X.509), a JWK, or a key object of the runtime. */
export type PublicKey = string | JWK | KeyObject | webcrypto.CryptoKey

/** What of a token's header picks the key. */
export interface KeyHeader {
  readonly alg: string
  readonly kid?: string
}

/** Keys that may have signed a token. */
export interface FoundKeys {
  readonly keys: readonly webcrypto.CryptoKey[]
  /** Where they were found; see {@link KeySource.edition}. */
  readonly edition: object
}

/** Where a verifier's keys come from. `now` is in milliseconds since the epoch. */
export interface KeySource {
  /** Finds the keys for a header, none when it names no key of ours. Throws `UnavailableError` when it cannot know. */
  find(header: KeyHeader, now: number): Promise<FoundKeys>
  /**
   * Stands for the keys in force: another object as soon as they are others, `undefined` when they must be fetched first.
   * What was verified with one edition is not good under the next.
   */
  edition(now: number): object | undefined
}

/** Shared secrets: each at least as long as the hash of its algorithm (RFC 7518 section 3.2). All of them are tried. */
export function secretKeys(secrets: readonly Secret[], algorithms: readonly string[]): KeySource {
  const edition = new Map<string, Promise<webcrypto.CryptoKey[]>>()
  for (const algorithm of algorithms) {
    const bits = Number(algorithm.slice(2))
    const imports = secrets.map((secret) => {
      const bytes = Buffer.from(typeof secret === 'string' || secret instanceof Uint8Array ? secret : [])
      if (bytes.length * 8 < bits) {
        throw new ConfigurationError(
          `jwt: ${algorithm} needs a secret of ${bits / 8} bytes or more; make one with crypto.randomBytes`,
        )
      }
      return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: `SHA-${bits}` }, false, ['verify'])
    })
    edition.set(algorithm, Promise.all(imports))
  }
  return {
    find: async ({ alg }) => ({ keys: (await edition.get(alg)) ?? [], edition }),
    edition: () => edition,
  }
}

/** Public keys that never change. The token's `kid` does not matter: each key that fits the algorithm is tried. */
export function publicKeys(keys: readonly PublicKey[], algorithms: readonly string[]): KeySource {
  const jwks = keys.map(readPublicKey)
  for (const algorithm of algorithms) {
    if (!jwks.some((jwk) => fits(algorithm, jwk))) {
      throw new ConfigurationError(`jwt: algorithms lists ${algorithm}, but no publicKey is for it`)
    }
  }
  const edition = createLocalJWKSet({ keys: jwks })
  return {
    find: async ({ alg }) => ({ keys: await matchingKeys(edition, { alg }), edition }),
    edition: () => edition,
  }
}

/** How many keys are tried on one token that does not say which. */
const maxTries = 8

/** The keys of a set that fit a header. A key that the runtime cannot import is none. */
export async function matchingKeys(set: LocalJWKSet, header: KeyHeader): Promise<webcrypto.CryptoKey[]> {
  try {
    return [await set({ ...header })]
  } catch (error) {
    const keys: webcrypto.CryptoKey[] = []
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return keys
    for await (const key of error) if (keys.push(key) === maxTries) break
    return keys
  }
}

/** Whether this is a well-formed public JWK: nothing secret or private, and RSA of 2048 bits at least. */
export function isPublicKey(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null || 'd' in value || 'k' in value) return false
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...value }, format: 'jwk' })
    return (asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY) >= 2048
  } catch {
    return false
  }
}

function readPublicKey(key: PublicKey): JWK {
  const jwk = toJwk(key)
  if (isPublicKey(jwk)) return jwk
  throw new ConfigurationError(
    'jwt: publicKey must be a public key: PEM, JWK, KeyObject or CryptoKey, RSA of 2048 bits or more. ' +
      'A private or secret key does not belong here; export the public half of it',
  )
}

function toJwk(key: PublicKey): unknown {
  try {
    // `createPublicKey` would make the public key out of a private one.
    if (typeof key === 'string') return key.includes('PRIVATE KEY') ? undefined : exported(createPublicKey(key))
    if (types.isKeyObject(key)) return exported(key)
    return types.isCryptoKey(key) ? exported(KeyObject.from(key)) : key
  } catch {
    return undefined
  }
}

const exported = (key: KeyObject) => key.export({ format: 'jwk' })

const curves: Record<string, readonly string[]> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
}

function fits(algorithm: string, { kty, crv, alg = algorithm, use = 'sig' }: JWK): boolean {
  if (alg !== algorithm || use !== 'sig') return false
  return kty === 'RSA' ? /^[RP]S/.test(algorithm) : (curves[crv ?? '']?.includes(algorithm) ?? false)
}
