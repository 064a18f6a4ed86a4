import { ConfigurationError } from './errors.js'

/** Checks an option of `owner` that is one of a few words. */
export function checkedChoice<T extends string>(owner: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  const words = choices.map((choice) => `'${choice}'`).join(' or ')
  throw new ConfigurationError('option-choice', `${owner}: ${name} is ${JSON.stringify(value)}; give ${words}`)
}
