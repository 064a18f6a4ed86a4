/** What the subprotocol that carries a credential starts with; the rest is the credential in base64url. */
export const bearerPrefix = 'sallyport.bearer.'

/** Writes a credential as a subprotocol, to be offered beside the application's own. */
export function encodeBearer(credential: string): string {
  return bearerPrefix + base64url(new TextEncoder().encode(credential))
}

/** Writes bytes in base64url without padding (RFC 4648 section 5). */
export function base64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/**
 * Reads the credential out of a subprotocol that starts with {@link bearerPrefix}; `undefined` when the rest is not the
 * one canonical spelling: base64url without padding (RFC 4648 section 5) of UTF-8 text that is not empty.
 */
export function decodeBearer(subprotocol: string): string | undefined {
  const encoded = subprotocol.slice(bearerPrefix.length)
  if (!/^[A-Za-z0-9_-]+$/.test(encoded) || encoded.length % 4 === 1) return undefined
  try {
    const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = new Uint8Array(binary.length)
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i)
    const credential = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return encodeBearer(credential) === subprotocol ? credential : undefined
  } catch {
    return undefined
  }
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const outsideFieldValue = /[^\t\x20-\x7e]/

/**
 * Reads `Sec-WebSocket-Protocol` (RFC 6455 section 4.1): tokens between commas, each once. `undefined` when it is
 * anything else: an empty item, a character that no token has, the same token twice.
 */
export function readSubprotocols(header: string): string[] | undefined {
  if (outsideFieldValue.test(header)) return undefined
  const offered = header.split(',').map((item) => item.trim())
  const wellFormed = offered.every((item) => token.test(item)) && new Set(offered).size === offered.length
  return wellFormed ? offered : undefined
}
