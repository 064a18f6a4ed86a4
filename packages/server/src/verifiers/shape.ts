import { Buffer } from 'node:buffer'

const placeholder = /^(?:undefined|null|nan|\[object \w+\]|bearer( .*)?)?$/is

/**
 * Whether this is what a mistake in a client looks like: a variable that was never set, an object written as text, a
 * promise that nobody awaited, or a whole `Authorization` header in place of the token.
 */
export const isPlaceholder = (credential: string): boolean => placeholder.test(credential)

/**
 * Whether this is a JWS in the compact serialization (RFC 7515 section 7.1), in its one canonical spelling: three parts,
 * none of them empty, in base64url without padding, unused bits zero. Decoders take more spellings than that, and two
 * spellings of one token would be two tokens to whoever compares text.
 */
export function isCompactJws(token: string): boolean {
  const parts = token.split('.', 4)
  return parts.length === 3 && parts.every(isCanonicalBase64url)
}

const isCanonicalBase64url = (part: string): boolean =>
  part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part
