const placeholder = /^(?:undefined|null|nan|\[object \w+\]|bearer( .*)?)?$/is

/**
 * Whether this is what a mistake in a client looks like: a variable that was never set, an object written as text, a
 * promise that nobody awaited, or a whole `Authorization` header in place of the token.
 */
export const isPlaceholder = (credential: string): boolean => placeholder.test(credential)

// 255 is what OpenID Connect Core section 2 grants to `sub`. Control characters and lone surrogates have no place in an
// id, and the latter would make different ids equal as UTF-8.
const text = /^[^\p{Cc}\p{Cs}]{1,255}$/u

/** Whether a value can be the name of somebody or something. */
export const isText = (value: unknown): value is string => typeof value === 'string' && text.test(value)

/** Whether a JSON value is an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
