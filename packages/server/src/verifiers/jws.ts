import { Buffer } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { andThen } from '../and-then.js'
import type { VerificationFailure } from '../reasons.js'
import { algorithmOf } from './algorithms.js'
import { type ClaimRules, type Claims, checkClaims } from './claims.js'
import type { KeyHeader, KeySource } from './keys.js'
import { isObject } from './shape.js'

/** What is demanded of a token. */
export interface TokenRules extends ClaimRules {
  readonly algorithms: readonly string[]
  /** The types that are accepted, `undefined` for none: in lower case and without `application/`. */
  readonly types: readonly (string | undefined)[]
  readonly keys: KeySource
}

/** A token whose signature and registered claims are good. */
export interface SignedClaims {
  readonly claims: Claims
  readonly typ: string | undefined
  /** Stands for the keys that were in force; see {@link KeySource.edition}. */
  readonly edition: object
}

/**
 * Verifies a signed JSON Web Token (RFC 7519) in the compact serialization: its spelling, its header, its signature and
 * its registered claims, in this order. Answers at once, unless the keys must be fetched.
 */
export function verifyToken(
  token: string,
  rules: TokenRules,
  now: number,
): SignedClaims | VerificationFailure | Promise<SignedClaims | VerificationFailure> {
  const jws = readJws(token)
  const parameters = jws && readObject(jws.header)
  if (!parameters) return 'credential-unreadable'
  const header = readHeader(parameters, rules)
  if (typeof header === 'string') return header
  return andThen(rules.keys.find(header, now), ({ keys, edition }) => {
    const { verify } = algorithmOf(header.alg)
    if (keys.length === 0) return 'token-key'
    if (!keys.some((key) => verify(key, jws.signed, jws.signature))) return 'token-signature'
    const claims: Claims | undefined = readObject(jws.payload)
    if (!claims) return 'token-claims'
    return checkClaims(claims, rules, now) ?? { claims, typ: header.typ, edition }
  })
}

/** The parts of a token, decoded. */
interface Jws {
  readonly header: Buffer
  readonly payload: Buffer
  readonly signature: Buffer
  /** What the signature is over. */
  readonly signed: Buffer
}

/** Reads the compact serialization (RFC 7515 section 7.1): three parts, none of them empty. */
function readJws(token: string): Jws | undefined {
  const parts = token.split('.', 4)
  const [header, payload, signature] = parts.map(decode)
  if (parts.length !== 3 || !header || !payload || !signature) return undefined
  return { header, payload, signature, signed: Buffer.from(token.slice(0, token.lastIndexOf('.'))) }
}

/**
 * Decodes base64url in its one canonical spelling: without padding, unused bits zero. Decoders take more spellings than
 * that, and two spellings of one token would be two tokens to whoever compares text.
 */
function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a JSON object in UTF-8. */
function readObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The header of a token (RFC 7515 section 4), as far as it decides anything. */
interface TokenHeader extends KeyHeader {
  readonly typ: string | undefined
}

/**
 * Reads the header of a token and refuses what no signature could make good. `jwk`, `jku`, `x5u` and `x5c` count for
 * nothing: keys come from our own configuration only.
 */
function readHeader(parameters: Record<string, unknown>, rules: TokenRules): TokenHeader | VerificationFailure {
  const { alg, kid, typ, crit, b64 } = parameters
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) return 'token-algorithm'
  if (kid !== undefined && typeof kid !== 'string') return 'token-key'
  // We know no extension, and one that we may not pass over makes this a token of another kind.
  if (crit !== undefined || b64 !== undefined || !(typ === undefined || typeof typ === 'string')) return 'token-type'
  const type = typ === undefined ? undefined : mediaType(typ)
  return rules.types.includes(type) ? { alg, kid, typ: type } : 'token-type'
}

/** The name of a media type, to be compared (RFC 7515 section 4.1.9). */
export const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\//, '')
