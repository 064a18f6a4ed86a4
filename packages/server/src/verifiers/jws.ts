import { Buffer } from 'node:buffer'
import { TextDecoder } from 'node:util'
import type { VerificationFailure } from '../refusals/reasons.js'
import { andThen } from '../support/and-then.js'
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

/** Verifies a token; `now` is in milliseconds since the epoch. Answers at once, unless the keys must be fetched. */
export type TokenVerifier = (
  token: string,
  now: number,
) => SignedClaims | VerificationFailure | Promise<SignedClaims | VerificationFailure>

/**
 * Verifies signed JSON Web Tokens (RFC 7519) in the compact serialization: the spelling, the header, the signature and the
 * registered claims, in this order.
 */
export function createTokenVerifier(rules: TokenRules): TokenVerifier {
  // The tokens of an issuer have one header, to the letter: the last that was good need not be read again.
  let last: { readonly text: string; readonly header: TokenHeader } | undefined

  function headerOf(text: string): TokenHeader | VerificationFailure {
    if (text === last?.text) return last.header
    const header = readHeader(text, rules)
    // A copy: a part of a string keeps the whole of it, which is a credential.
    if (typeof header !== 'string') last = { text: Buffer.from(text).toString(), header }
    return header
  }

  return (token, now) => {
    // Three parts (RFC 7515 section 7.1), none of them empty.
    const [head = '', body = '', tail = '', more] = token.split('.', 4)
    const payload = decode(body)
    const signature = decode(tail)
    if (more !== undefined || !payload || !signature) return 'credential-unreadable'
    const header = headerOf(head)
    if (typeof header === 'string') return header
    const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')))
    return andThen(rules.keys.find(header, now), ({ keys, edition }) => {
      const { verify } = algorithmOf(header.alg)
      if (keys.length === 0) return 'token-key'
      if (!keys.some((key) => verify(key, signed, signature))) return 'token-signature'
      const claims: Claims | undefined = readObject(payload)
      if (!claims) return 'token-claims'
      return checkClaims(claims, rules, now) ?? { claims, typ: header.typ, edition }
    })
  }
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
function readHeader(text: string, rules: TokenRules): TokenHeader | VerificationFailure {
  const bytes = decode(text)
  const parameters = bytes && readObject(bytes)
  if (!parameters) return 'credential-unreadable'
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
