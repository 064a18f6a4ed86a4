/** What a value is, without saying it: it may be a secret, or long. For errors about what somebody's code has handed over. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return `${value}`
  if (value === '') return 'an empty string'
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number that is not finite'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Whether a value names anything. */
export const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''
