import { checkedText } from '../support/checked-kind.js'
import { ConfigurationError } from '../support/errors.js'
import { type PathParams, readTarget } from './request.js'

/**
 * The paths of a route: one, such as `/ws`; a pattern whose segments may be parameters, such as `/yjs/:room`; or a
 * function that answers the parameters of a path of the route, and `undefined` for all others.
 */
export type RoutePath = string | ((path: string) => PathParams | undefined)

/** The parameters that a route's path has: those that a pattern names, or what a function answers. */
export type ParamsOf<P extends RoutePath> = P extends string
  ? [ParamNames<P>] extends [never]
    ? PathParams
    : { readonly [N in ParamNames<P>]: string }
  : P extends (path: string) => infer R
    ? NonNullable<R>
    : never

/** The names of the parameters in a pattern: `'room'` of `/yjs/:room`. */
export type ParamNames<P extends string> = P extends `${string}/:${infer N}/${infer R}`
  ? N | ParamNames<`/${R}`>
  : P extends `${string}/:${infer N}`
    ? N
    : never

/** Reads the parameters of a path; `undefined` when the path is none of the route's. */
export type PathReader = (path: string) => PathParams | undefined

const parameter = /^:([A-Za-z]\w*)$/
const none: PathParams = Object.freeze({})

/**
 * The reader of a route's paths. A parameter is one segment, never empty, decoded. Paths come in their one canonical
 * spelling, so that none has two readings.
 *
 * @throws ConfigurationError in the name of `owner`, when it can be no path
 */
export function pathReader(owner: string, path: RoutePath): PathReader {
  if (typeof path === 'function') return (given) => checkedParams(path(given))
  // What an empty one was to be can be said.
  if (path !== '') checkedText(owner, 'path', path, 'a path such as /ws, or a function that reads one')
  const segments = checkedSegments(owner, path)
  const names = segments.map((segment) => parameter.exec(segment)?.[1])
  if (names.every((name) => name === undefined)) return (given) => (given === path ? none : undefined)
  return (given) => {
    const values = given.split('/')
    if (values.length !== segments.length) return undefined
    const params: Record<string, string> = {}
    for (const [i, name] of names.entries()) {
      const value = values[i]!
      if (name === undefined && value !== segments[i]) return undefined
      if (name === undefined) continue
      const decoded = decode(value)
      if (decoded === undefined || decoded === '') return undefined
      params[name] = decoded
    }
    return Object.freeze(params)
  }
}

/** Whether every path of so many segments is one of the route's; unknown of functions, and then `false`. */
export const isAnyPath = (path: RoutePath): boolean =>
  typeof path === 'string' &&
  path.split('/').every((segment) => segment === '' || parameter.test(segment)) &&
  path !== '/'

/** Whether some path is of both; unknown of functions, and then `false`. */
export function overlap(a: RoutePath, b: RoutePath): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return a === b
  return everySegment(a, b, (one, other) => one === other || parameter.test(one) || parameter.test(other))
}

/** Whether every path of `b` is one of `a`. */
export function covers(a: RoutePath, b: RoutePath): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return a === b
  return everySegment(a, b, (one, other) => one === other || parameter.test(one))
}

function everySegment(a: string, b: string, isSame: (one: string, other: string) => boolean): boolean {
  const [ones, others] = [a.split('/'), b.split('/')]
  return ones.length === others.length && ones.every((one, i) => isSame(one, others[i]!))
}

function checkedSegments(owner: string, path: string): string[] {
  const segments = path.split('/')
  const names = segments.filter((segment) => segment.startsWith(':'))
  const plain = segments.map((segment) => (parameter.test(segment) ? 'x' : segment)).join('/')
  if (readTarget(plain)?.path !== plain || names.some((name) => !parameter.test(name))) {
    throw new ConfigurationError(
      'path-invalid',
      `${owner}: ${JSON.stringify(path)} is no path; write one such as "${meantBy(path)}"`,
    )
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice)
    throw new ConfigurationError(
      'path-parameter-twice',
      `${owner}: the path ${path} has ${twice} twice; give each a name of its own`,
    )
  return segments
}

/** The path that was meant by what is none, if that can be seen. */
function meantBy(path: string): string {
  const segments = path.replace(/^\w+:\/\/[^/]*|[?#].*/gs, '').split('/')
  const meant = `/${segments.filter((segment) => segment !== '').join('/')}`
  return readTarget(meant)?.path === meant ? meant : '/ws'
}

/** A function is the application's: what it answers is looked at before it is believed. */
function checkedParams(params: unknown): PathParams | undefined {
  if (params === undefined) return undefined
  if (typeof params !== 'object' || params === null || params instanceof Promise) {
    throw new TypeError('path: a function answers parameters, or undefined when the path is not of its route')
  }
  for (const [name, value] of Object.entries(params)) {
    if (typeof value !== 'string') throw new TypeError(`path: the parameter ${name} is no string`)
  }
  return params as PathParams
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
