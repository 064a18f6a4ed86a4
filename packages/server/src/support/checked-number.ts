import { ConfigurationError } from './errors.js'

/** Checks a number among the options of `owner`, `min` and `max` included. */
export function checkedNumber(owner: string, name: string, value: number, min: number, max = Infinity): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  const range = max === Infinity ? `of ${min} or more` : `from ${min} to ${max}`
  throw new ConfigurationError('option-number', `${owner}: ${name} is ${String(value)}; give a number ${range}`)
}

// What all stores can count to.
const most = 2 ** 31 - 1

/** Checks a number of things among the options of `owner`, which a store counts. */
export function checkedCount(owner: string, name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  const given = `${owner}: ${name} is ${String(value)}`
  throw new ConfigurationError('option-number', `${given}; give a whole number from 1 to ${most}`)
}
