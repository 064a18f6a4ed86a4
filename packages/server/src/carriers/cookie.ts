import { type Handshake, trimmed } from '../handshake/request.js'
import { absent, type Carrier, found, malformed, type Reading } from './carrier.js'

/**
 * Reads the cookie `name` (RFC 6265 section 4.2.1), its name compared byte by byte. The same name twice is malformed:
 * one of the two may have been planted from a sibling domain.
 */
export function cookieCarrier(name: string): Carrier {
  return (handshake: Handshake): Reading => {
    let reading: Reading = absent
    for (const [header, line] of handshake.headers) {
      if (header !== 'cookie') continue
      for (const pair of line.split(';')) {
        const mark = pair.indexOf('=')
        if (mark === -1 || pair.slice(0, mark).replace(/^[ \t]+/, '') !== name) continue
        if (reading !== absent) return malformed
        reading = found(decode(trimmed(pair.slice(mark + 1))))
      }
    }
    return reading
  }
}

/** Undoes the quoting and escaping that servers write cookie values with; a value that has none stays as it is. */
function decode(value: string): string {
  const plain = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  if (!plain.includes('%')) return plain
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}
