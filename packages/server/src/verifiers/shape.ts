const placeholder = /^(?:undefined|null|nan|\[object \w+\]|bearer( .*)?)?$/is

/**
 * Whether this is what a mistake in a client looks like: a variable that was never set, an object written as text, a
 * promise that nobody awaited, or a whole `Authorization` header in place of the token.
 */
export const isPlaceholder = (credential: string): boolean => placeholder.test(credential)

/** Whether a JSON value is an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
