import { ConfigurationError } from '../../support/errors.js'
import { type PublicKeyAlgorithm, publicKeyAlgorithms, type SecretAlgorithm, secretAlgorithms } from '../algorithms.js'
import { checkedStrings } from '../settings.js'
import type { Jwks } from './fetched-keys.js'
import { jwks } from './jwks.js'
import { type KeySource, type PublicKey, publicKeys, type Secret, secretKeys } from './key-source.js'

/** Where the key is. Give exactly one; its kind limits the algorithms, so that no key serves as another kind. */
export type JwtKeys =
  | {
      /** A shared secret, or several while one replaces the other: 32 bytes or more for HS256, 48 and 64 for the others. */
      readonly secret: Secret | readonly Secret[]
      readonly algorithms: readonly SecretAlgorithm[]
      readonly publicKey?: never
      readonly jwks?: never
    }
  | {
      /** The issuer's public key, or several while one replaces the other. */
      readonly publicKey: PublicKey | readonly PublicKey[]
      readonly algorithms: readonly PublicKeyAlgorithm[]
      readonly secret?: never
      readonly jwks?: never
    }
  | {
      /** The URL of the issuer's key set, or {@link jwks} with options of its own. */
      readonly jwks: string | URL | Jwks
      readonly algorithms: readonly PublicKeyAlgorithm[]
      readonly secret?: never
      readonly publicKey?: never
    }

/** The algorithms, each of which the kind of key has. Throws `ConfigurationError` otherwise. */
export function checkedAlgorithms({ secret, algorithms }: JwtKeys): string[] {
  const [kind, known] = secret === undefined ? ['public keys', publicKeyAlgorithms] : ['a secret', secretAlgorithms]
  const allowed = Object.keys(known)
  const checked = checkedStrings('jwt', 'algorithms', algorithms)
  if (checked.every((algorithm) => allowed.includes(algorithm))) return checked
  throw new ConfigurationError('algorithms', `jwt: algorithms for ${kind} must be among ${allowed.join(', ')}`)
}

/** The keys that the options name. Throws `ConfigurationError` unless they name one source that can work. */
export function keySource({ secret, publicKey, jwks: source }: JwtKeys, algorithms: readonly string[]): KeySource {
  if ([secret, publicKey, source].filter((key) => key !== undefined).length !== 1) {
    throw new ConfigurationError('key-source', 'jwt: give exactly one of secret, publicKey and jwks')
  }
  if (secret !== undefined) return secretKeys(several('secret', secret), algorithms)
  if (publicKey !== undefined) return publicKeys(several('publicKey', publicKey), algorithms)
  return typeof source === 'string' || source instanceof URL ? jwks(source) : source!
}

function several<T>(name: string, value: T | readonly T[]): readonly T[] {
  const values: readonly T[] = isList(value) ? value : [value]
  if (values.length === 0) throw new ConfigurationError('key-source', `jwt: ${name} must not be an empty list`)
  return values
}

const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value)
