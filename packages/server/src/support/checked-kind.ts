import type { Clock } from './clock.js'
import { ConfigurationError } from './errors.js'
import { isName, kindOf } from './kind-of.js'

// Types may not have been there, and what is of another kind would fail only when the first client comes. `give` says what
// to give in its place.

/** Checks an option of `owner` that has to be an object, with methods of those names. */
export function checkedObject<T>(owner: string, name: string, value: T, give: string, ...methods: string[]): T {
  const kind = kindOf(value)
  if (kind !== 'an object') throw wrong(owner, name, kind, give)
  const missing = methods.find((method) => typeof Reflect.get(value as object, method) !== 'function')
  if (missing !== undefined) throw wrong(owner, name, `an object without ${missing}()`, give)
  return value
}

/** Checks an option that has to be a function. */
export function checkedFunction<T>(owner: string, name: string, value: T, give: string): T {
  if (typeof value === 'function') return value
  throw wrong(owner, name, kindOf(value), give)
}

/** Checks who takes the sockets of a route. */
export const checkedHandler = <H>(owner: string, handler: H): H =>
  checkedFunction(owner, 'onConnection', handler, 'a function that takes the accepted sockets')

/** Checks an option that has to be a text, and not an empty one. */
export function checkedText(owner: string, name: string, value: string, give: string): string {
  if (isName(value)) return value
  throw wrong(owner, name, kindOf(value), give)
}

/** Checks an option that has to be a list, each of whose values is checked by `check`, who gets a name for it. */
export function checkedList<T>(
  owner: string,
  name: string,
  values: readonly T[],
  give: string,
  check: (value: T, name: string) => unknown,
): readonly T[] {
  if (!Array.isArray(values)) throw wrong(owner, name, kindOf(values), give)
  for (const [i, value] of values.entries()) check(value, `${name}[${i}]`)
  return values
}

/** Checks an option that has to be a list of texts; whether they say anything is for others to see. */
export const checkedTexts = (owner: string, name: string, values: readonly string[], give: string): readonly string[] =>
  checkedList(owner, name, values, `a list with ${give}`, (value, each) => {
    if (typeof value !== 'string') throw wrong(owner, each, kindOf(value), give)
  })

/** Checks the option `clock`. */
export const checkedClock = (owner: string, clock: Clock): Clock =>
  checkedObject(owner, 'clock', clock, 'a clock, or leave it out', 'now', 'after')

const wrong = (owner: string, name: string, kind: string, give: string): ConfigurationError =>
  new ConfigurationError('option-kind', `${owner}: ${name} is ${kind}; give ${give}`)
