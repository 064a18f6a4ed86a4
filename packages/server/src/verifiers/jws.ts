import type { webcrypto } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWSHeaderParameters, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { VerificationFailure } from '../reasons.js'
import type { Claims } from './claims.js'
import type { KeyHeader } from './keys.js'

/** The header of a token (RFC 7515 section 4), as far as it decides anything. */
export interface TokenHeader extends KeyHeader {
  /** The media type, in lower case and without `application/`. */
  readonly typ: string | undefined
}

/**
 * Reads the header of a token and refuses what no signature could make good. `jwk`, `jku`, `x5u` and `x5c` count for
 * nothing: keys come from our own configuration only.
 */
export function readHeader(token: string, algorithms: readonly string[]): TokenHeader | VerificationFailure {
  let header: JWSHeaderParameters
  try {
    header = decodeProtectedHeader(token)
  } catch {
    return 'credential-unreadable'
  }
  const { alg, kid, typ, crit, b64 } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'token-algorithm'
  if (kid !== undefined && typeof kid !== 'string') return 'token-key'
  // We know no extension, and one that we may not pass over makes this a token of another kind.
  if (crit !== undefined || b64 !== undefined || !(typ === undefined || typeof typ === 'string')) return 'token-type'
  return { alg, ...(kid !== undefined && { kid }), typ: typ === undefined ? undefined : mediaType(typ) }
}

/** The name of a media type, to be compared (RFC 7515 section 4.1.9). */
export const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\//, '')

/** Verifies a token with the first of `keys` that signed it, and then its registered claims. */
export async function verifyClaims(
  token: string,
  keys: readonly webcrypto.CryptoKey[],
  options: JWTVerifyOptions,
): Promise<Claims | VerificationFailure> {
  let failure: VerificationFailure = 'token-key'
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, key, options)
      return payload
    } catch (error) {
      failure = failureOf(error)
      if (failure !== 'token-signature') return failure
    }
  }
  return failure
}

function failureOf(error: unknown): VerificationFailure {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token-signature'
  if (error instanceof errors.JWTExpired) return 'credential-expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error
    if (claim === 'iss') return 'token-issuer'
    if (claim === 'aud') return 'token-audience'
    return claim === 'nbf' && reason === 'check_failed' ? 'credential-not-yet-valid' : 'token-claims'
  }
  if (error instanceof errors.JWTInvalid) return 'token-claims'
  if (error instanceof errors.JWSInvalid) return 'credential-unreadable'
  throw error
}
