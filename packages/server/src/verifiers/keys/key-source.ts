import { Buffer } from 'node:buffer'
import { createPublicKey, createSecretKey, type JsonWebKeyInput, KeyObject, type webcrypto } from 'node:crypto'
import { types } from 'node:util'
import { ConfigurationError } from '../../support/errors.js'
import { algorithmOf, publicKeyAlgorithms } from '../algorithms.js'
import { isObject } from '../shape.js'

/** A shared secret: bytes, or text that stands for its UTF-8 bytes. */
export type Secret = string | Uint8Array

/** A public key: PEM (SPKI, PKCS #1 or X.509; its line breaks may be written `\\n`), a JWK, or a key object of the runtime. */
export type PublicKey = string | Jwk | KeyObject | webcrypto.CryptoKey

/** A JSON Web Key (RFC 7517), by each of the names that the types of Node.js have for it. */
export type Jwk = JsonWebKeyInput['key'] | (webcrypto.JsonWebKey & { readonly kid?: string })

/** What of a token's header picks the key. */
export interface KeyHeader {
  readonly alg: string
  readonly kid?: string | undefined
}

/** Keys that may have signed a token. */
export interface FoundKeys {
  readonly keys: readonly KeyObject[]
  /** Where they were found; see {@link KeySource.edition}. */
  readonly edition: object
}

/** Where a verifier's keys come from. `now` is in milliseconds since the epoch. */
export interface KeySource {
  /**
   * Finds the keys for a header, none when it names no key of ours: at once, unless they must be fetched first. Throws
   * `UnavailableError` when it cannot know.
   */
  find(header: KeyHeader, now: number): FoundKeys | Promise<FoundKeys>
  /**
   * Stands for the keys in force: another object as soon as they are others, `undefined` when they must be fetched first.
   * What was verified with one edition is not good under the next.
   */
  edition(now: number): object | undefined
}

/** A key, and what it is for. */
export interface VerificationKey {
  readonly key: KeyObject
  /** The algorithms that it may serve. */
  readonly algorithms: readonly string[]
  /** The name that its issuer gave it. */
  readonly kid?: unknown
}

/** The keys that fit a header. */
export function matchingKeys(keys: readonly VerificationKey[], { alg, kid }: KeyHeader): KeyObject[] {
  const fits = (one: VerificationKey) => one.algorithms.includes(alg) && (kid === undefined || one.kid === kid)
  return keys.filter(fits).map(({ key }) => key)
}

/** Shared secrets: each strong enough for each algorithm. All of them are tried. */
export function secretKeys(secrets: readonly Secret[], algorithms: readonly string[]): KeySource {
  const keys = secrets.map((secret) => {
    const isSecret = typeof secret === 'string' || secret instanceof Uint8Array
    const bytes = Buffer.from(isSecret ? secret : [])
    if (isKeyFile(bytes) || isKeyFile(Buffer.from(bytes.toString('latin1'), 'base64'))) {
      throw new ConfigurationError(
        'secret-is-key',
        'jwt: secret is a key in the form of a file (PEM, JWK or DER), whose text others may know: whoever has it could ' +
          'sign. Give a public key as publicKey with its algorithms, such as RS256; of a JWK with kty "oct" the bytes of k',
      )
    }
    return createSecretKey(bytes)
  })
  for (const algorithm of algorithms) {
    if (!keys.every((key) => algorithmOf(algorithm).takes(key))) {
      const bytes = Number(algorithm.slice(2)) / 8
      throw new ConfigurationError(
        'secret-short',
        `jwt: ${algorithm} needs a secret of ${bytes} bytes or more; make one with crypto.randomBytes`,
      )
    }
  }
  return constantKeys(keys.map((key) => ({ key, algorithms })))
}

/** Whether bytes are a key as it is published or kept in a file, instead of a secret. */
function isKeyFile(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  if (text.includes('-----BEGIN ')) return true
  try {
    // A byte order mark is white space here, and not in JSON.
    const value: unknown = JSON.parse(text.trim())
    return isObject(value) && ('kty' in value || 'keys' in value)
  } catch {}
  try {
    return createPublicKey({ key: bytes, format: 'der', type: 'spki' }).type === 'public'
  } catch {
    return false
  }
}

/** Public keys that never change. Each one that is for the algorithm is tried. */
export function publicKeys(given: readonly PublicKey[], algorithms: readonly string[]): KeySource {
  const keys = given.map(readPublicKey)
  for (const algorithm of algorithms) {
    if (matchingKeys(keys, { alg: algorithm }).length === 0) {
      throw new ConfigurationError(
        'algorithm-without-key',
        `jwt: algorithms lists ${algorithm}, but no publicKey is for it (RSA needs 2048 bits or more)`,
      )
    }
  }
  return constantKeys(keys)
}

/** Keys that never change. The token's `kid` does not matter. */
function constantKeys(keys: readonly VerificationKey[]): KeySource {
  return { find: ({ alg }) => ({ keys: matchingKeys(keys, { alg }), edition: keys }), edition: () => keys }
}

/** The key of a JWK (RFC 7517 section 4), unless that is secret, private or no key at all. */
export function readJwk(jwk: unknown): VerificationKey | undefined {
  if (!isObject(jwk) || 'd' in jwk) return undefined
  return verificationKey(() => createPublicKey({ key: jwk, format: 'jwk' }), jwk)
}

function readPublicKey(key: PublicKey): VerificationKey {
  const read = keyOf(key)
  if (read) return read
  throw new ConfigurationError(
    'public-key',
    'jwt: publicKey must be a public key: PEM, JWK, KeyObject or CryptoKey. ' +
      'A private or secret key does not belong here; export the public half of it',
  )
}

function keyOf(key: PublicKey): VerificationKey | undefined {
  // `createPublicKey` would make the public key out of a private one.
  if (typeof key === 'string') {
    // Environment variables often have the line breaks of a PEM written out.
    const pem = key.replaceAll('\\r', '').replaceAll('\\n', '\n')
    return pem.includes('PRIVATE KEY') ? undefined : verificationKey(() => createPublicKey(pem))
  }
  if (types.isKeyObject(key)) return verificationKey(() => key)
  return types.isCryptoKey(key) ? verificationKey(() => KeyObject.from(key)) : readJwk(key)
}

/** A public key with what its JWK says of its use; `undefined` when it cannot be read. */
function verificationKey(read: () => KeyObject, jwk: JsonWebKeyInput['key'] = {}): VerificationKey | undefined {
  try {
    const key = read()
    return key.type === 'public' ? { key, algorithms: algorithmsOf(key, jwk), kid: jwk.kid } : undefined
  } catch {
    return undefined
  }
}

/** The algorithms that a public key may serve (RFC 7517 sections 4.2 to 4.4). */
function algorithmsOf(
  key: KeyObject,
  { alg, use = 'sig', key_ops: operations = ['verify'] }: JsonWebKeyInput['key'],
): string[] {
  if (use !== 'sig' || !Array.isArray(operations) || !operations.includes('verify')) return []
  const all = Object.entries(publicKeyAlgorithms).filter(([, { takes }]) => takes(key))
  return all.map(([name]) => name).filter((name) => alg === undefined || alg === name)
}
