import { Buffer, isAscii } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { andThen } from '../support/and-then.js'
import { algorithmOf } from './algorithms.js'
import { type ClaimRules, type Claims, checkClaims } from './claims.js'
import { unlike } from './detail.js'
import type { KeyHeader, KeySource } from './keys/key-source.js'
import { isObject } from './shape.js'
import { isRejected, type Rejected, rejected } from './verifier.js'

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
export type TokenVerifier = (token: string, now: number) => SignedClaims | Rejected | Promise<SignedClaims | Rejected>

/**
 * Verifies signed JSON Web Tokens (RFC 7519) in the compact serialization: the spelling, the header, the signature and the
 * registered claims, in this order.
 */
export function createTokenVerifier(rules: TokenRules): TokenVerifier {
  // The tokens of an issuer have one header, to the letter: the last that was good need not be read again.
  let last: { readonly text: string; readonly header: TokenHeader } | undefined

  function headerOf(text: string): TokenHeader | Rejected {
    if (text === last?.text) return last.header
    const header = readHeader(text, rules)
    // A copy: a part of a string keeps the whole of it, which is a credential.
    if (!isRejected(header)) last = { text: Buffer.from(text).toString(), header }
    return header
  }

  return (token, now) => {
    // Three parts (RFC 7515 section 7.1), none of them empty.
    const [head = '', body = '', tail = '', more] = token.split('.', 4)
    const payload = decode(body)
    const signature = decode(tail)
    if (more !== undefined || !payload || !signature) return rejected('credential-unreadable')
    const header = headerOf(head)
    if (isRejected(header)) return header
    const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')))
    return andThen(rules.keys.find(header, now), ({ keys, edition }) => {
      const { verify } = algorithmOf(header.alg)
      if (keys.length === 0) return rejected('token-key')
      if (!keys.some((key) => verify(key, signed, signature))) return rejected('token-signature')
      const claims: Claims | undefined = readObject(payload)
      if (!claims) return rejected('token-claims')
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

/** Reads a JSON object in UTF-8; most are ASCII, which is read in half the time. */
function readObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes))
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
function readHeader(text: string, rules: TokenRules): TokenHeader | Rejected {
  const bytes = decode(text)
  const parameters = bytes && readObject(bytes)
  if (!parameters) return rejected('credential-unreadable')
  const { alg, kid, typ, crit, b64 } = parameters
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) {
    return rejected('token-algorithm', unlike('alg', alg, rules.algorithms))
  }
  if (kid !== undefined && typeof kid !== 'string') return rejected('token-key')
  // We know no extension, and one that we may not pass over makes this a token of another kind.
  if (crit !== undefined || b64 !== undefined || !(typ === undefined || typeof typ === 'string')) {
    return rejected('token-type', 'the header has crit or b64, or a typ that is no text')
  }
  const type = typ === undefined ? undefined : mediaType(typ)
  return rules.types.includes(type) ? { alg, kid, typ: type } : rejected('token-type', unlike('typ', typ, rules.types))
}

/** The name of a media type, to be compared (RFC 7515 section 4.1.9). */
export const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\//, '')
