import type { Heard, WireMessage } from './dialect.js'

/** Where a message in JSON keeps the parameters of its connection. */
export interface Place {
  /** The member that says what message it is, and what it says there. */
  readonly is: readonly [member: string, value: string]
  /** The member that has the parameters. */
  readonly in: string
}

/**
 * Takes the credential out of the parameters of a connection. The application gets the message without it, written anew: of
 * a member that came twice it sees what we have seen.
 */
export function takeParameter(message: WireMessage, place: Place, parameter: string): Heard {
  const said = typeof message === 'string' ? readObject(message) : undefined
  const [member, value] = place.is
  if (said?.[member] !== value) return undefined
  const parameters = said[place.in]
  if (!isRecord(parameters) || !Object.hasOwn(parameters, parameter)) return 'absent'
  const { [parameter]: written, ...others } = parameters
  if (typeof written !== 'string') return 'malformed'
  const credential = withoutScheme(written)
  if (credential === '') return 'absent'
  try {
    return { credential, rest: [JSON.stringify({ ...said, [place.in]: others })] }
  } catch {
    // Too deep to be written, though it could be read.
    return 'malformed'
  }
}

/** A credential that stands where others would write a header: `Bearer` may come before it (RFC 6750 section 2.1). */
export const withoutScheme = (value: string): string => value.replace(/^Bearer +/i, '')

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
