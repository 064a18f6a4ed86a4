import { type Handshake, readTarget } from '../handshake/request.js'
import { b64token } from './b64token.js'
import { absent, type Carrier, found, malformed, type Reading } from './carrier.js'

/** Reads a credential from the query parameter `name`, which may stand there once and only in this spelling. */
export function queryCarrier(name: string): Carrier {
  const lookalikes = spelledLike(name)
  return (handshake: Handshake): Reading => {
    const [shown, another] = readTarget(handshake.target)?.query.match(lookalikes) ?? []
    if (shown === undefined) return absent
    const value = shown.startsWith(`${name}=`) ? decode(shown.slice(name.length + 1)) : ''
    return another === undefined && b64token.test(value) ? found(value) : malformed
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

/** Undoes the escapes of a value; empty when they are none, or a plus sign stands for nobody knows what. */
function decode(value: string): string {
  if (value.includes('+')) return ''
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}
