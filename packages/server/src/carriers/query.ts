import { type Handshake, readTarget } from '../handshake/request.js'
import { ConfigurationError } from '../support/errors.js'
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

/** Takes the parameters of these names out of a query, however they are spelled. */
export function hidingParameters(...names: string[]): (query: string) => string {
  const secrets = spelledLike(...names)
  return (query) => query.replace(secrets, '')
}

/** The parameters that bring credentials, unless the methods are told others. */
export const defaultParameters = { ticket: 'ticket', query: 'token' }

/** Checks the name of a parameter, which must read the same to everybody. */
export function checkedParameter(owner: string, name: string): string {
  if (typeof name === 'string' && /^[\w-]+$/.test(name)) return name
  throw new ConfigurationError(
    'parameter-name',
    `${owner}: parameter is ${JSON.stringify(name)}; give letters, digits, - and _`,
  )
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
