import { getPublicSuffix } from 'tldts'
import { andThen } from '../support/and-then.js'
import type { Clock } from '../support/clock.js'
import { ConfigurationError, UnavailableError } from '../support/errors.js'
import { within } from '../support/within.js'
import { type Handshake, singleHeader } from './request.js'

/** Whether the page of an origin may connect, with that handshake. Anything but `true` is no. */
export type OriginPolicy = (origin: string, handshake: Handshake) => boolean | Promise<boolean>

const originSyntax = /^([a-z][a-z0-9+.-]*):\/\/((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]|\.|)(?::(\d{1,5}))?$/
const wildcardSyntax = /^([a-z][a-z0-9+.-]*):\/\/\*(?:\.([^:]+)(:.*)?)?$/
const defaultPorts: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
])

/**
 * Compiles an allow-list of origins (RFC 6454): scheme, host and port, compared exactly. `https://*.example.com` stands
 * for exactly one label, `vscode-webview://*` for every host of a scheme that is not the web's.
 *
 * @throws ConfigurationError on an empty list, on `*`, on `null`, on anything that is no origin, and on wildcards that
 * would trust strangers
 */
export function createOriginPolicy(origins: readonly string[]): (origin: string) => boolean {
  if (origins.length === 0) {
    throw new ConfigurationError(
      'origins-empty',
      'origins is empty, so no browser could connect: list the origins of your pages',
    )
  }
  const exact = new Set<string>()
  const wildcards = new Set<string>()
  for (const origin of origins) {
    const wildcard = wildcardSyntax.exec(origin)
    if (wildcard) checkWildcard(origin, wildcard)
    const canonical = canonicalOrigin(wildcard ? origin.replace('*', 'x') : origin)
    if (!canonical) throw new ConfigurationError('origin-invalid', invalid(origin))
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

/**
 * Bounds a policy of the application's own: it is asked once for a handshake, about what is an origin, in its one
 * spelling. `null` is none. Throws what it throws, and `UnavailableError` when it is late.
 */
export function boundedPolicy(ask: OriginPolicy, verifyTimeout: number, clock: Clock): OriginPolicy {
  const answers = new WeakMap<Handshake, boolean | Promise<boolean>>()
  const late = () => new UnavailableError(`origins took longer than ${verifyTimeout} ms`)
  return (origin, handshake) => {
    const canonical = canonicalOrigin(origin)
    if (canonical === undefined) return false
    const known = answers.get(handshake)
    if (known !== undefined) return known
    const asked = andThen(ask(canonical, handshake), (allowed) => allowed === true)
    const answer = asked instanceof Promise ? within(asked, verifyTimeout, clock, late) : asked
    answers.set(handshake, answer)
    return answer
  }
}

/**
 * Whether an origin has the host and port that the request came to. The scheme of the request is that of the origin:
 * behind a proxy that ends TLS nobody can tell.
 */
export function isOwnHost(origin: string, handshake: Handshake): boolean {
  const host = singleHeader(handshake, 'host')
  const canonical = canonicalOrigin(origin)
  if (typeof host !== 'string' || canonical === undefined) return false
  const scheme = canonical.slice(0, canonical.indexOf(':'))
  return defaultPorts.has(scheme) && canonicalOrigin(`${scheme}://${host}`) === canonical
}

/** Lower case, default port folded; `undefined` for what is no origin: `null`, a path, user information, a trailing dot. */
function canonicalOrigin(origin: string): string | undefined {
  // Lower case first would make ASCII of letters that are none.
  const match = /^[\x21-\x7e]*$/.test(origin) && originSyntax.exec(origin.toLowerCase())
  if (!match) return undefined
  const [, scheme = '', host = '', port] = match
  // `file://` and `app://.` are origins, but no page of the web is without a host.
  if (defaultPorts.has(scheme) && (host === '' || host === '.')) return undefined
  return port === undefined || port === defaultPorts.get(scheme) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`
}

const withoutFirstLabel = (origin: string): string => origin.replace(/:\/\/[^.:]+/, '://*')

// Everybody may have a host of the web, and whatever extension a user has installed has one of theirs.
const openSchemes = /^(?:https?|wss?|ftp|file|.*-extension)$/

/** Refuses a wildcard for hosts that belong to more than one. */
function checkWildcard(origin: string, [, scheme = '', domain]: RegExpExecArray): void {
  if (domain === undefined) {
    if (openSchemes.test(scheme)) throw new ConfigurationError('origin-invalid', invalid(origin))
    return
  }
  // Under a public suffix (`com`, `co.uk`, `vercel.app`) everybody may register a name of their own.
  const suffix = getPublicSuffix(domain, { allowPrivateDomains: true })
  if (suffix !== null && suffix !== domain.toLowerCase()) return
  throw new ConfigurationError(
    'origin-public-suffix',
    `origins: ${JSON.stringify(origin)} would trust strangers: everybody may have a name directly under ` +
      `${JSON.stringify(domain)}; list your own hosts, or put the wildcard under one of them`,
  )
}

const invalid = (origin: string): string =>
  `origins: ${JSON.stringify(origin)} is no origin; write scheme, host and port as browsers do, such as ` +
  `"https://app.example.com", or "https://*.example.com" for every host directly under it`
