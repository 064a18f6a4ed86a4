import { type Handshake, readTarget } from '../handshake/request.js'
import { absent, type Carrier, malformed, presented, type Reading } from './carrier.js'

/** Reads a credential from the query parameter `name`, which may stand there once and only in this spelling. */
export function queryCarrier(name: string): Carrier {
  const lookalikes = spelledLike(name)
  return (handshake: Handshake): Reading => {
    const [shown, another] = readTarget(handshake.target)?.query.match(lookalikes) ?? []
    if (shown === undefined) return absent
    if (another !== undefined || !shown.startsWith(`${name}=`)) return malformed
    return presented(decode(shown.slice(name.length + 1)))
  }
}

const secretParameters = spelledLike('ticket', 'token')

/** The query without `ticket` and `token`, however they are spelled. */
export function withoutCredentials(query: string): string {
  return query.replace(secretParameters, '')
}

/**
 * Finds the parameters that a server, here or elsewhere, might read as one of these: `Ticket`, `tick%65t`, `ticket[]`. One
 * look over the query, however many parameters a stranger puts into it.
 */
function spelledLike(...names: string[]): RegExp {
  const letter = (char: string) => `(?:${char}|${escaped(char)}|${escaped(char.toUpperCase())})`
  const spellings = names.map((name) => Array.from(name, letter).join(''))
  // No other character before it: the same as an ampersand or the beginning, and found many times as fast.
  return new RegExp(`(?<![^&])(?:${spellings.join('|')})(?=[[=&]|%5b|$)[^&]*`, 'gi')
}

function escaped(char: string): string {
  return `%${char.charCodeAt(0).toString(16)}`
}

/**
 * Undoes the escapes of a value; `undefined` when they are none, or it has a sign that others read otherwise: a plus as a
 * space, a hash as the end.
 */
function decode(value: string): string | undefined {
  if (/[+#]/.test(value)) return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
