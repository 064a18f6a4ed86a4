import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTarget } from '../../../src/handshake/request.js'
import { checkUpgrade } from '../../../src/handshake/upgrade.js'
import type { Reason } from '../../../src/refusals/reasons.js'
import { anyHandshake, floods, type HandshakeChanges, handshake, withLine } from '../../support/handshake.js'

const key = 'dGhlIHNhbXBsZSBub25jZQ=='

describe('checkUpgrade', () => {
  it.each<[string, HandshakeChanges]>([
    ['as it is', {}],
    ['with a host and a port', { headers: [['host', 'api.example.com:8443']] }],
    ['with an IPv4 host', { headers: [['host', '127.0.0.1:8080']] }],
    ['with an IPv6 host', { headers: [['host', '[::1]:8080']] }],
    ['with an empty port', { headers: [['host', 'api.example.com:']] }],
    ['with an underscore in the host', { headers: [['host', 'ws_server']] }],
    ['with more options of the connection', { headers: [['connection', 'keep-alive, Upgrade']] }],
    ['with the connection in another case', { headers: [['connection', 'uPGRADE']] }],
    ['with the upgrade in another case', { headers: [['upgrade', 'WebSocket']] }],
    ['with a length of zero', { headers: [['content-length', '0']] }],
    ['with a length of several zeros', { headers: [['content-length', '00']] }],
    ['with subprotocols', { headers: [['sec-websocket-protocol', 'a, b']] }],
    ['from a browser', { headers: [['sec-fetch-mode', 'websocket']] }],
    ['with another key', { headers: [['sec-websocket-key', '/////////////////////w==']] }],
    ['with a foreign origin, which is not its business', { headers: [['origin', 'https://evil.example']] }],
  ])('finds nothing wrong with a good handshake %s', (_, changes) => {
    expect(checkUpgrade(handshake(changes))).toBeUndefined()
  })

  it('finds nothing wrong where the runtime does not tell the version of HTTP', () => {
    const { httpVersion, ...untold } = handshake()
    expect(httpVersion).toBe('1.1')
    expect(checkUpgrade(untold)).toBeUndefined()
  })

  it('finds nothing wrong with 500 header lines, and does not trust more to be all of them', () => {
    const good = handshake()
    const padded = (total: number) =>
      handshake({ headers: Array.from({ length: total - good.headers.length }, (_, i) => [`x-${i}`, '1'] as const) })
    expect(checkUpgrade(padded(500))).toBeUndefined()
    expect(checkUpgrade(padded(501))).toBe('handshake-headers')
  })

  const rows: [Reason, string, HandshakeChanges][] = [
    ['handshake-version', 'HTTP/1.0', { httpVersion: '1.0' }],
    ['handshake-version', 'HTTP/2', { httpVersion: '2.0' }],
    ['handshake-target', 'a target that is no path', { target: '//ws' }],
    ['handshake-host', 'no host', { without: ['host'] }],
    ['handshake-host', 'an empty host', { headers: [['host', '']] }],
    ['handshake-host', 'a host with a port of letters', { headers: [['host', 'a:b']] }],
    ['handshake-host', 'a host with user information', { headers: [['host', 'a@b']] }],
    ['handshake-host', 'a host with a path', { headers: [['host', 'a/b']] }],
    ['handshake-host', 'a host with a space', { headers: [['host', 'a b']] }],
    ['handshake-host', 'two hosts in one line', { headers: [['host', 'a, b']] }],
    ['handshake-host', 'a host beyond ASCII', { headers: [['host', 'caf\u00e9']] }],
    ['handshake-body', 'a body', { headers: [['content-length', '11']] }],
    ['handshake-body', 'a length that is no number', { headers: [['content-length', 'x']] }],
    ['handshake-body', 'a list of lengths', { headers: [['content-length', '0, 0']] }],
    ['handshake-body', 'a signed length', { headers: [['content-length', '+0']] }],
    ['handshake-body', 'an empty length', { headers: [['content-length', '']] }],
    ['handshake-body', 'a body in chunks', { headers: [['transfer-encoding', 'chunked']] }],
    ['handshake-body', 'an unknown transfer encoding', { headers: [['transfer-encoding', 'identity']] }],
    ['handshake-key', 'no key', { without: ['sec-websocket-key'] }],
    ['handshake-key', 'an empty key', { headers: [['sec-websocket-key', '']] }],
    ['handshake-key', 'a key of 15 bytes', { headers: [['sec-websocket-key', 'dGhlIHNhbXBsZSBub25j']] }],
    ['handshake-key', 'a key of 17 bytes', { headers: [['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZWE=']] }],
    ['handshake-key', 'a key without padding', { headers: [['sec-websocket-key', key.slice(0, 22)]] }],
    ['handshake-key', 'a key with unused bits', { headers: [['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZR==']] }],
    ['handshake-key', 'a key in base64url', { headers: [['sec-websocket-key', 'dGhlIHNhbXBs_SBub25jZQ==']] }],
    ['handshake-key', 'two keys in one line', { headers: [['sec-websocket-key', `${key}, ${key}`]] }],
    ...['', ',', 'a,', 'a, a', 'a b', 'a;b', 'caf\u00e9'].map((list): [Reason, string, HandshakeChanges] => [
      'handshake-protocols',
      `the subprotocols ${JSON.stringify(list)}`,
      { headers: [['sec-websocket-protocol', list]] },
    ]),
    ['method-not-allowed', 'POST', { method: 'POST' }],
    ['method-not-allowed', 'CONNECT', { method: 'CONNECT' }],
    ['method-not-allowed', 'a method in lower case, which is another one', { method: 'get' }],
    ['not-a-websocket', 'no upgrade', { without: ['upgrade'] }],
    ['not-a-websocket', 'another upgrade', { headers: [['upgrade', 'h2c']] }],
    ['not-a-websocket', 'another upgrade before it', { headers: [['upgrade', 'h2c, websocket']] }],
    ['not-a-websocket', 'another upgrade behind it', { headers: [['upgrade', 'websocket, h2c']] }],
    ['not-a-websocket', 'a longer upgrade', { headers: [['upgrade', 'websocket/13']] }],
    ['not-a-websocket', 'an upgrade with a space that is none of HTTP', { headers: [['upgrade', 'websocket\u00a0']] }],
    ['not-a-websocket', 'no connection', { without: ['connection'] }],
    ['not-a-websocket', 'another option of the connection', { headers: [['connection', 'keep-alive']] }],
    ['not-a-websocket', 'a longer option', { headers: [['connection', 'upgrades']] }],
    ['not-a-websocket', 'no version', { without: ['sec-websocket-version'] }],
    ...['', '0', '7', '8', '12', '14', '013', '13.0', '13, 8', '8, 13', '13, 13', '1e1'].map(
      (version): [Reason, string, HandshakeChanges] => [
        'not-a-websocket',
        `the version ${JSON.stringify(version)}`,
        { headers: [['sec-websocket-version', version]] },
      ],
    ),
    ['fetch-metadata', 'a fetch', { headers: [['sec-fetch-mode', 'cors']] }],
    ['fetch-metadata', 'a page load', { headers: [['sec-fetch-mode', 'navigate']] }],
    ['fetch-metadata', 'an empty mode', { headers: [['sec-fetch-mode', '']] }],
  ]

  it.each(rows)('answers %s to %s', (reason, _, changes) => {
    expect(checkUpgrade(handshake(changes))).toBe(reason)
  })

  it.each([
    ['host', 'api.example.com', 'handshake-repeated'],
    ['origin', 'https://app.example.com', 'handshake-repeated'],
    ['authorization', 'Bearer abc', 'handshake-repeated'],
    ['sec-websocket-key', key, 'handshake-repeated'],
    ['content-length', '0', 'handshake-body'],
    ['transfer-encoding', 'chunked', 'handshake-body'],
    ['upgrade', 'websocket', 'not-a-websocket'],
    ['sec-websocket-version', '13', 'not-a-websocket'],
    ['sec-fetch-mode', 'websocket', 'fetch-metadata'],
  ])('answers to two lines of %s, equal or not, in either order', (name, value, reason) => {
    const once = handshake({ headers: [[name, value]] })
    if (name !== 'transfer-encoding') expect(checkUpgrade(once)).toBeUndefined()
    for (const second of [value, 'other', '']) {
      const twice = withLine(once, name, second)
      expect(checkUpgrade(twice)).toBe(reason)
      expect(checkUpgrade({ ...twice, headers: twice.headers.toReversed() })).toBe(reason)
    }
  })

  it('passes nothing that breaks one of the rules of RFC 6455 section 4.2.1, and never throws', () => {
    fc.assert(
      fc.property(anyHandshake, (value) => {
        if (checkUpgrade(value) !== undefined) return
        const lines = (name: string) => value.headers.filter(([key]) => key === name).map(([, line]) => line)
        expect(value.method).toBe('GET')
        expect(value.httpVersion ?? '1.1').toBe('1.1')
        expect(readTarget(value.target)).toBeDefined()
        expect(lines('host')).toHaveLength(1)
        expect(lines('upgrade').map((line) => line.toLowerCase().trim())).toEqual(['websocket'])
        expect(lines('connection').join().toLowerCase()).toContain('upgrade')
        expect(lines('sec-websocket-version')).toEqual(['13'])
        expect(lines('sec-websocket-key').map((line) => Buffer.from(line, 'base64').length)).toEqual([16])
        expect(lines('origin').length).toBeLessThanOrEqual(1)
        expect(lines('authorization').length).toBeLessThanOrEqual(1)
        expect(lines('transfer-encoding')).toEqual([])
        expect(lines('content-length').every((line) => /^0+$/.test(line))).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it('answers the same to the header lines in any order', () => {
    const shuffled = anyHandshake.chain((value) =>
      fc
        .shuffledSubarray([...value.headers], { minLength: value.headers.length })
        .map((headers) => [value, { ...value, headers }] as const),
    )
    fc.assert(
      fc.property(shuffled, ([value, other]) => {
        expect(checkUpgrade(other)).toBe(checkUpgrade(value))
      }),
    )
  })

  it.each(['host', 'connection', 'upgrade', 'sec-websocket-version', 'sec-websocket-key', 'content-length'])(
    'is done at once with a flood in %s',
    (name) => {
      for (const flood of floods) {
        for (const value of [`${flood}!`, `a${flood}!`]) {
          expect(checkUpgrade(handshake({ headers: [[name, value]] }))).toBeDefined()
        }
      }
    },
  )
})
