import ipaddr from 'ipaddr.js'
import type { Handshake } from '../handshake/request.js'
import { ConfigurationError } from '../support/errors.js'

/** Whose request it is: the peer's address or, behind proxies that are named, the one that they forward. */
export type AddressReader = (handshake: Handshake) => string

/**
 * Reads the client's address. `X-Forwarded-For` is believed only as far as trusted proxies wrote it: from the right, up
 * to the first address that is none of theirs.
 *
 * @param trustedProxies addresses and CIDR ranges, such as `10.0.0.0/8`
 * @throws ConfigurationError on what is neither
 */
export function createAddressReader(trustedProxies: readonly string[]): AddressReader {
  if (trustedProxies.length === 0) return ({ address }) => canonicalAddress(address)
  const ranges = trustedProxies.map(parseRange)
  const isTrusted = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return ranges.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits))
  }
  return ({ address, headers }) => {
    const hops = headers.filter(([name]) => name === 'x-forwarded-for').flatMap(([, value]) => value.split(','))
    let client = address
    while (isTrusted(client) && hops.length > 0) {
      const hop = hops.pop()!.trim()
      // A proxy that forwards no address speaks for itself.
      if (!ipaddr.isValid(hop)) break
      client = hop
    }
    return canonicalAddress(client)
  }
}

/** What limits count by: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has whole. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const parsed = ipaddr.IPv6.isValid(address) ? ipaddr.IPv6.parse(address) : undefined
  return parsed
    ? `${parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')}::/64`
    : address
}

/** An IPv4 address that came over an IPv6 socket, as IPv4. */
function canonicalAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function parseRange(range: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (range.includes('/')) return ipaddr.parseCIDR(range)
    const address = ipaddr.process(range)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch {
    throw new ConfigurationError(
      `trustedProxies: ${JSON.stringify(range)} is no address; write one such as "10.0.0.7", or a range such as "10.0.0.0/8"`,
    )
  }
}
