import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { type Handshake, unixSocket } from '../handshake/request.js'
import { ConfigurationError } from '../support/errors.js'

/**
 * Whose request it is: the peer's address or, behind proxies that are named, the one that they forward. Empty where nobody
 * tells one.
 */
export type AddressReader = (handshake: Handshake) => string

/**
 * Reads the client's address. `X-Forwarded-For` is believed only as far as trusted proxies wrote it: from the right, up
 * to the first address that is none of theirs.
 *
 * @param trustedProxies addresses and CIDR ranges, such as `10.0.0.0/8`; `unix` for whoever comes over a Unix socket
 * @throws ConfigurationError on what is none of them
 */
export function createAddressReader(trustedProxies: readonly string[]): AddressReader {
  if (trustedProxies.length === 0) return ({ address }) => readAddress(address)
  const trustsUnix = trustedProxies.includes(unixSocket)
  const ranges = trustedProxies.filter((proxy) => proxy !== unixSocket).map(parseRange)
  const isTrusted = (address: string): boolean => {
    if (address === '') return false
    const parsed = ipaddr.parse(address)
    return ranges.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits))
  }
  return ({ address, headers }) => {
    const hops = headers.filter(([name]) => name === 'x-forwarded-for').flatMap(([, value]) => value.split(','))
    let client = readAddress(address)
    let isProxy = address === unixSocket ? trustsUnix : isTrusted(client)
    while (isProxy && hops.length > 0) {
      const hop = readAddress(hops.pop()!.trim())
      // A proxy that forwards no address speaks for itself.
      if (hop === '') break
      client = hop
      isProxy = isTrusted(client)
    }
    return client
  }
}

/**
 * What limits count by: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has whole. `undefined` where
 * there is no address: everybody would share that limit.
 */
export function addressKey(address: string): string | undefined {
  if (!address.includes(':')) return address === '' ? undefined : address
  const network = ipaddr.IPv6.parse(address).parts.slice(0, 4)
  return `${network.map((part) => part.toString(16)).join(':')}::/64`
}

const withPort = /^(?:\[(.*)\]|([\d.]+))(?::\d{1,5})?$/
// All of them begin with zeros. To take every address apart would cost more than all else that is done with it.
const maybeMapped = /^[0:]+ffff:/i

/**
 * An address as proxies and runtimes write it: without port and zone, and as IPv4 when it came over an IPv6 socket. Empty
 * when it is none.
 */
function readAddress(text: string): string {
  if (isIPv4(text)) return text
  const [, inBrackets, decimal] = withPort.exec(text) ?? []
  const address = (inBrackets ?? decimal ?? text).replace(/%.*/, '')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return ''
  return maybeMapped.test(address) ? ipaddr.process(address).toString() : address
}

function parseRange(range: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (range.includes('/')) return ipaddr.parseCIDR(range)
    const address = ipaddr.process(range)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch {
    throw new ConfigurationError(
      'address-range',
      `trustedProxies: ${JSON.stringify(range)} is no address; write one such as "10.0.0.7", a range such as ` +
        `"10.0.0.0/8", or "${unixSocket}" for those that come over a Unix socket`,
    )
  }
}
