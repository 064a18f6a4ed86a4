import { ConfigurationError } from '../support/errors.js'
import { isName, kindOf } from '../support/kind-of.js'

/** Checks an option that is one string or several, none of them empty. */
export function checkedStrings(owner: string, name: string, value: string | readonly string[]): string[] {
  const strings: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (strings.length > 0 && strings.every((item) => typeof item === 'string' && item !== '')) return strings as string[]
  throw new ConfigurationError(
    'option-required',
    `${owner}: ${name} is required: a string, or an array of them, none empty`,
  )
}

/** Checks the name of a claim. */
export function checkedClaim(owner: string, name: string, value: string): string {
  if (isName(value)) return value
  throw new ConfigurationError(
    'claim-name',
    `${owner}: ${name} is ${kindOf(value)}; give the name of a claim, such as sid`,
  )
}

/** Checks the address of a server that we ask about credentials: https, or http on this machine or where it is allowed. */
export function checkedUrl(owner: string, name: string, value: string | URL, allowHttp = false): URL {
  const url = URL.canParse(`${value}`) ? new URL(value) : undefined
  const isHttp = url?.protocol === 'http:' && (allowHttp || isLoopback(url.hostname))
  if (!url || !(url.protocol === 'https:' || isHttp)) {
    throw new ConfigurationError(
      'url-not-https',
      `${owner}: ${name} must be an https URL; http is for loopback addresses, and with dangerouslyAllowHttp for a ` +
        'network in which nobody else can change the answers',
    )
  }
  if (url.username || url.password) {
    throw new ConfigurationError(
      'url-with-password',
      `${owner}: ${name} must not carry a user name or password, because URLs get printed`,
    )
  }
  return url
}

// The URL parser has already written every spelling of an IPv4 address as four decimal numbers.
const isLoopback = (hostname: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
