import { printable } from '../support/printable.js'

/** Characters of one value: more than any name needs, and too few for a token. */
const maxValue = 100
const maxValues = 3

/** What came and what was expected, for whoever reads the log: `aud is "web", expected "api" or "admin"`. */
export const unlike = (name: string, came: unknown, expected: readonly unknown[]): string =>
  `${name} is ${shown(came)}, expected ${several(expected, ' or ')}`

/** A value of a claim or of a header, in a few words. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return printable(JSON.stringify(value), maxValue)
  if (Array.isArray(value)) return `[${several(value, ', ')}]`
  return typeof value === 'object' && value !== null ? 'an object' : `${value}`
}

function several(values: readonly unknown[], separator: string): string {
  const few = values
    .slice(0, maxValues)
    .map((value) => (value === undefined ? 'none' : Array.isArray(value) ? 'a list' : shown(value)))
  return `${few.join(separator)}${values.length > maxValues ? ` and ${values.length - maxValues} more` : ''}`
}

/** Milliseconds as seconds. */
export const seconds = (ms: number): string => (Number.isFinite(ms) ? `${Math.round(ms / 1000)} s` : 'without an end')
