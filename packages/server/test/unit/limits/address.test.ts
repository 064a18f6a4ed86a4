import { ConfigurationError } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKey, createAddressReader } from '../../../src/limits/address.js'
import { type HeaderLine, handshake } from '../../support/handshake.js'

const read = (trusted: readonly string[], address: string, ...forwarded: string[]) =>
  createAddressReader(trusted)(
    handshake({ address, headers: forwarded.map((value): HeaderLine => ['x-forwarded-for', value]) }),
  )

describe('H09 whose request it is', () => {
  const proxies = ['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.200']

  it.each<[string, string, string[], string]>([
    ['the peer, when it forwards nothing', '198.51.100.1', [], '198.51.100.1'],
    ['the peer, whatever it says, when it is no proxy', '198.51.100.1', ['203.0.113.9'], '198.51.100.1'],
    ['whom a proxy forwards', '10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['the rightmost, whatever stands before it', '10.0.0.1', ['1.1.1.1, 2.2.2.2, 203.0.113.9'], '203.0.113.9'],
    ['the rightmost of several headers', '10.0.0.1', ['1.1.1.1', '203.0.113.9'], '203.0.113.9'],
    ['whom a row of proxies forwards', '10.0.0.1', ['1.1.1.1, 203.0.113.9, 10.0.0.3, 10.0.0.2'], '203.0.113.9'],
    ['the first of the proxies, when all are proxies', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    ['the proxy, when it forwards nothing', '10.0.0.1', [], '10.0.0.1'],
    ['the proxy, when it forwards no address', '10.0.0.1', ['203.0.113.9, unknown'], '10.0.0.1'],
    ['the proxy, when it forwards an empty one', '10.0.0.1', ['203.0.113.9,'], '10.0.0.1'],
    ['the proxy, when it forwards what is nearly one', '10.0.0.1', ['203.0.113.999'], '10.0.0.1'],
    ['a single address that is named', '192.0.2.200', ['203.0.113.9'], '203.0.113.9'],
    ['not its neighbour', '192.0.2.201', ['203.0.113.9'], '192.0.2.201'],
    ['over IPv6', '2001:db8:ffff:1::1', ['2001:db8:1::9'], '2001:db8:1::9'],
    ['not over IPv6 of somebody else', '2001:db8:fffe:1::1', ['2001:db8:1::9'], '2001:db8:fffe:1::1'],
    ['over an IPv6 socket', '::ffff:10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['IPv4 over an IPv6 socket', '::ffff:198.51.100.1', ['203.0.113.9'], '198.51.100.1'],
    ['IPv4 in the form of IPv6, forwarded', '10.0.0.1', ['::ffff:203.0.113.9'], '203.0.113.9'],
    ['nobody, when the runtime does not tell', '', ['203.0.113.9'], ''],
    ['white space aside', '10.0.0.1', [' 1.1.1.1 ,\t203.0.113.9 '], '203.0.113.9'],
    ['the proxy, when it forwards an address of two parts', '10.0.0.1', ['203.0.113.9, 10.1'], '10.0.0.1'],
    ['the proxy, when it forwards an octal one', '10.0.0.1', ['203.0.113.9, 0313.0.113.9'], '10.0.0.1'],
  ])('H09 %s', (_, address, forwarded, expected) => {
    expect(read(proxies, address, ...forwarded)).toBe(expected)
  })

  it.each<[string, string, string]>([
    ['with a port', '203.0.113.9:55555', '203.0.113.9'],
    ['of IPv6 with a port', '[2001:db8:1::9]:443', '2001:db8:1::9'],
    ['of IPv6 in brackets', '[2001:db8:1::9]', '2001:db8:1::9'],
    ['of IPv6 with a zone', 'fe80::1%eth0', 'fe80::1'],
    ['of IPv6 with a zone and a port', '[fe80::1%25eth0]:443', 'fe80::1'],
    ['of IPv4 in the hexadecimal form of IPv6', '::ffff:cb00:7109', '203.0.113.9'],
    ['of IPv4 in the long form of IPv6', '0:0:0:0:0:FFFF:203.0.113.9', '203.0.113.9'],
    ['of IPv4 in the form of IPv6, with a port', '[::ffff:cb00:7109]:443', '203.0.113.9'],
  ])('H24 is read %s', (_, written, expected) => {
    expect(read([], written)).toBe(expected)
    expect(read(proxies, '10.0.0.1', `1.1.1.1, ${written}`)).toBe(expected)
    expect(read([expected], written, '198.51.100.7')).toBe('198.51.100.7')
  })

  it.each(['203.0.113.9:', ':55555', '203.0.113.9:55555:1', '[2001:db8:1::9', '[]:443', '[203.0.113.9]x', 'host:443'])(
    'H24 is not read in %j',
    (written) => {
      expect(read([], written)).toBe('')
      expect(read(proxies, '10.0.0.1', `1.1.1.1, ${written}`)).toBe('10.0.0.1')
    },
  )

  it('H24 is one that limits can count by, whatever is forwarded', () => {
    const piece = fc.constantFrom('0', '1', 'ffff', 'Abcd', ':', '::', '.', '1.2.3.4', '[', ']', '%', 'eth0', '443')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join('')),
          fc.ipV6(),
          fc.ipV4(),
        ),
        (written) => {
          expect(addressKey(read(proxies, '10.0.0.1', written))).toBeTypeOf('string')
          const peer = read([], written)
          expect(addressKey(peer) === undefined).toBe(peer === '')
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('H25 is whom a Unix socket forwards, when it is named', () => {
    expect(read(['unix'], 'unix', '1.1.1.1, 203.0.113.9')).toBe('203.0.113.9')
    expect(read(['unix', '10.0.0.0/8'], 'unix', '203.0.113.9, 10.0.0.1')).toBe('203.0.113.9')
    expect(read(['unix', '10.0.0.0/8'], '10.0.0.1', '203.0.113.9')).toBe('203.0.113.9')
  })

  it('H25 is nobody over a Unix socket that is not named, or forwards nothing, or only itself', () => {
    expect(read([], 'unix', '203.0.113.9')).toBe('')
    expect(read(['10.0.0.0/8'], 'unix', '203.0.113.9')).toBe('')
    expect(read(['unix'], 'unix')).toBe('')
    expect(read(['unix'], 'unix', '203.0.113.9, unix')).toBe('')
    expect(read(['unix'], '', '203.0.113.9')).toBe('')
    expect(read(['unix'], '198.51.100.1', '203.0.113.9')).toBe('198.51.100.1')
  })

  it('H09 believes nobody by default', () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '::1']) expect(read([], address, '203.0.113.9')).toBe(address)
    expect(read([], '::ffff:198.51.100.1')).toBe('198.51.100.1')
  })

  it('H09 believes no other header', () => {
    const lines: HeaderLine[] = [
      ['forwarded', 'for=203.0.113.9'],
      ['x-real-ip', '203.0.113.9'],
      ['x-client-ip', '203.0.113.9'],
      ['x_forwarded_for', '203.0.113.9'],
    ]
    expect(createAddressReader(proxies)(handshake({ address: '10.0.0.1', headers: lines }))).toBe('10.0.0.1')
  })

  it('H09 is never what the client wrote before the last that a proxy has written', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), (written) => {
        expect(read(['10.0.0.0/8'], '10.0.0.1', [...written, '203.0.113.9'].join(','))).toBe('203.0.113.9')
      }),
    )
  })

  it('H09 is always somebody, and never throws, whatever is forwarded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (forwarded) => {
        expect(read(['0.0.0.0/0', '::/0'], '10.0.0.1', forwarded)).not.toBe('')
      }),
    )
  })

  it.each(['10.0.0.0/33', '10.0.0.300', 'proxy.example.com', '', '10.0.0.0/-1', '::1/129', '*', 'Unix'])(
    'H09 refuses %j for a proxy',
    (range) => {
      expect(() => createAddressReader([range])).toThrow(ConfigurationError)
    },
  )

  it.each(['unix', '10.0.0.7', '10.0.0.0/8', '0.0.0.0/0', '::1', '2001:db8::/32', '::ffff:10.0.0.1'])(
    'H09 takes %j for one',
    (range) => {
      expect(createAddressReader([range])).toBeTypeOf('function')
    },
  )
})

describe('what limits count by', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1', 'fe80:0:0:0::/64'],
    ['', undefined],
  ])('of %j is %j', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })

  it('is the same for two addresses of IPv6 exactly when they share their /64', () => {
    const part = fc.nat(3).map((n) => n.toString(16))
    const parts = fc.array(part, { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = one.slice(0, 4).join(':') === other.slice(0, 4).join(':')
        expect(addressKey(one.join(':')) === addressKey(other.join(':'))).toBe(same)
      }),
    )
  })
})
