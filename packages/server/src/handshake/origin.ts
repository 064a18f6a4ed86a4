import { ConfigurationError } from '../support/errors.js'

/** Whether an `Origin` header's value is allowed. */
export type OriginPolicy = (origin: string) => boolean

const originSyntax = /^([a-z][a-z0-9+.-]*):\/\/((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]|)(?::(\d{1,5}))?$/
const wildcardSyntax = /^([a-z][a-z0-9+.-]*:\/\/)\*(\..+)$/
const defaultPorts: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
])

/**
 * Compiles an allow-list of origins (RFC 6454): scheme, host and port, compared exactly.
 * `https://*.example.com` stands for exactly one label.
 *
 * @throws ConfigurationError on an empty list, on `*`, on `null` and on anything that is no origin.
 */
export function createOriginPolicy(origins: readonly string[]): OriginPolicy {
  if (origins.length === 0) {
    throw new ConfigurationError('origins is empty, so no browser could connect: list the origins of your pages')
  }
  const exact = new Set<string>()
  const wildcards = new Set<string>()
  for (const origin of origins) {
    const wildcard = wildcardSyntax.exec(origin)
    const canonical = canonicalOrigin(wildcard ? `${wildcard[1]}x${wildcard[2]}` : origin)
    // A wildcard needs a whole domain behind it: `https://*.com` would trust everybody.
    if (!canonical || (wildcard && !/\..+\./.test(canonical))) throw new ConfigurationError(invalid(origin))
    if (wildcard) wildcards.add(withoutFirstLabel(canonical))
    else exact.add(canonical)
  }
  return (origin) => {
    if (exact.has(origin)) return true
    const canonical = canonicalOrigin(origin)
    if (canonical === undefined) return false
    return exact.has(canonical) || (wildcards.size > 0 && wildcards.has(withoutFirstLabel(canonical)))
  }
}

/** Lower case, default port folded; `undefined` for what is no origin: `null`, a path, user information, a trailing dot. */
function canonicalOrigin(origin: string): string | undefined {
  // Lower case first would make ASCII of letters that are none.
  const match = /^[\x21-\x7e]*$/.test(origin) && originSyntax.exec(origin.toLowerCase())
  if (!match) return undefined
  const [, scheme = '', host = '', port] = match
  if (defaultPorts.has(scheme) && host === '') return undefined
  return port === undefined || port === defaultPorts.get(scheme) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`
}

const withoutFirstLabel = (origin: string): string => origin.replace(/:\/\/[^.]*/, '://*')

const invalid = (origin: string): string =>
  `origins: ${JSON.stringify(origin)} is no origin; write scheme, host and port as browsers do, such as ` +
  `"https://app.example.com", or "https://*.example.com" for every host directly under it`
