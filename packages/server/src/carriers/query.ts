import { type Handshake, readTarget } from '../request.js'
import { b64token } from './b64token.js'
import { absent, type Carrier, found, malformed, type Reading } from './carrier.js'

/** Reads a credential from the query parameter `name`, which may stand there once and only in this spelling. */
export function queryCarrier(name: string): Carrier {
  // `Ticket`, `ticket[]`: a server elsewhere might read these as the parameter.
  const lookalike = new RegExp(`^${name}(?:\\[.*)?$`, 'i')
  return (handshake: Handshake): Reading => {
    const query = readTarget(handshake.target)?.query
    if (!query) return absent
    let reading: Reading = absent
    for (const part of query.split('&')) {
      const mark = part.indexOf('=')
      const key = decode(mark === -1 ? part : part.slice(0, mark))
      if (key === undefined || !lookalike.test(key)) continue
      const value = mark === -1 ? '' : decode(part.slice(mark + 1))
      if (reading !== absent || key !== name || part.includes('+') || !b64token.test(value ?? '')) return malformed
      reading = found(value ?? '')
    }
    return reading
  }
}

/** The query without `ticket` and `token`, however they are spelled. */
export function withoutCredentials(query: string): string {
  if (query === '') return query
  const parts = query.split('&').filter((part) => !/^(?:ticket|token)(?:\[|$)/i.test(decode(part.split('=')[0]!) ?? ''))
  return parts.join('&')
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
