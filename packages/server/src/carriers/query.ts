import { type Handshake, readTarget } from '../handshake/request.js'
import { b64token } from './b64token.js'
import { absent, type Carrier, found, malformed, type Reading } from './carrier.js'

/** Reads a credential from the query parameter `name`, which may stand there once and only in this spelling. */
export function queryCarrier(name: string): Carrier {
  // `Ticket`, `ticket[]`: a server elsewhere might read these as the parameter.
  const lookalike = new RegExp(`^${name}(?:\\[|$)`, 'i')
  return (handshake: Handshake): Reading => {
    const query = readTarget(handshake.target)?.query
    if (!query) return absent
    let reading: Reading = absent
    for (const part of query.split('&')) {
      if (!lookalike.test(nameOf(part))) continue
      const value = part.startsWith(`${name}=`) ? decode(part.slice(name.length + 1)) : ''
      if (reading !== absent || !b64token.test(value)) return malformed
      reading = found(value)
    }
    return reading
  }
}

/** The query without `ticket` and `token`, however they are spelled. */
export function withoutCredentials(query: string): string {
  if (query === '') return query
  const parts = query.split('&')
  return parts.filter((part) => !/^(?:ticket|token)(?:\[|$)/i.test(nameOf(part))).join('&')
}

/** The name of a parameter, as URL parsers read it: that of the application may be one. */
function nameOf(part: string): string {
  const name = part.split('=', 1)[0] ?? ''
  if (!/[%+]/.test(name)) return name
  const [[decoded = ''] = []] = new URLSearchParams(`?${name}`)
  return decoded
}

/** Undoes the escapes of a value; empty when they are none, or a plus sign stands for nobody knows what. */
function decode(value: string): string {
  if (value.includes('+')) return ''
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}
