import { ConfigurationError } from './errors.js'

/** Checks a number among the options of `owner`, `min` and `max` included. */
export function checkedNumber(owner: string, name: string, value: number, min: number, max = Infinity): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  return refuse(owner, name, value, max === Infinity ? `a number of ${min} or more` : `a number from ${min} to ${max}`)
}

// What all stores can count to.
const most = 2 ** 31 - 1

/** Checks a number of things among the options of `owner`, which a store counts. */
export function checkedCount(owner: string, name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  return refuse(owner, name, value, `a whole number from 1 to ${most}`)
}

function refuse(owner: string, name: string, value: unknown, expected: string): never {
  throw new ConfigurationError('option-number', `${owner}: ${name} is ${String(value)}; give ${expected}`)
}
