/**
 * Goes on with a value, at once when it is there: most are, and waiting for them would cost more than they do. Query
 * builders answer what is no `Promise` but can be waited for like one.
 */
export function andThen<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value)
}

/** Whether a value can be waited for. */
export const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value
