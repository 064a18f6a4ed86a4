import { ConfigurationError } from './errors.js'

/** Checks a number among the options of `owner`, `min` and `max` included. */
export function checkedNumber(owner: string, name: string, value: number, min: number, max = Infinity): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  const range = max === Infinity ? `of ${min} or more` : `from ${min} to ${max}`
  throw new ConfigurationError('option-number', `${owner}: ${name} is ${String(value)}; give a number ${range}`)
}
