import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromFetch, fromNode, listHeader, readTarget, repeated, singleHeader } from '../../../src/handshake/request.js'
import { anyText, floods, handshake, textOf } from '../../support/handshake.js'

const pieces = textOf(
  ...[
    '/',
    '/ws',
    'a',
    'Z',
    '0',
    '.',
    '..',
    '~',
    '-',
    '_',
    '!',
    '$',
    '&',
    "'",
    '(',
    ')',
    '*',
    '+',
    ',',
    ';',
    '=',
    ':',
    '@',
  ],
  ...[
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '%00',
    '%41',
    '%7E',
    '%C3%A9',
    '%c3%a9',
    '%25',
    '%40',
    '%60',
    '%3B',
    '%FF',
    '%',
    '%2',
  ],
  ...['?', '#', '\\', ' ', '[', ']', '|', '"', '\t', '\n', '\u0000', '\u00e9'],
)
const target = fc.oneof(
  pieces.map((text) => `/${text}`),
  pieces,
  anyText,
)

describe('readTarget', () => {
  it.each([
    ['/', '/', ''],
    ['/ws', '/ws', ''],
    ['/ws?', '/ws', ''],
    ['/ws?a=b&c', '/ws', 'a=b&c'],
    ['/ws?a?b', '/ws', 'a?b'],
    ['/ws/', '/ws/', ''],
    ['/WS', '/WS', ''],
    ['/...', '/...', ''],
    ['/.well-known/ws', '/.well-known/ws', ''],
    ["/a-b_c.d~e/!$&'()*+,;=:@", "/a-b_c.d~e/!$&'()*+,;=:@", ''],
    ['/caf%C3%A9/%20%25', '/caf%C3%A9/%20%25', ''],
  ])('reads %s', (target, path, query) => {
    expect(readTarget(target)).toEqual({ path, query })
  })

  it.each([
    ['', 'nothing'],
    ['ws', 'no slash'],
    ['*', 'asterisk-form'],
    ['example.com:443', 'authority-form'],
    ['http://example.com/ws', 'absolute-form'],
    ['?/ws', 'no path'],
    ['//', 'an empty segment'],
    ['//ws', 'what some read as a host'],
    ['/ws//', 'an empty segment at the end'],
    ['/a//ws', 'an empty segment in the middle'],
    ['/.', 'a dot segment'],
    ['/..', 'a double-dot segment'],
    ['/ws/.', 'a dot segment at the end'],
    ['/ws/..', 'a double-dot segment at the end'],
    ['/./ws', 'a dot segment at the start'],
    ['/a/../ws', 'a double-dot segment in the middle'],
    ['/ws/%2e', 'an escaped dot segment'],
    ['/ws/%2e%2E/x', 'an escaped double-dot segment'],
    ['/ws/.%2e/x', 'a double-dot segment, half of it escaped'],
    ['/%77s', 'an escaped letter'],
    ['/w%53', 'an escaped letter in upper case'],
    ['/ws%31', 'an escaped digit'],
    ['/%7ews', 'an escaped tilde'],
    ['/a%2Fws', 'an escaped slash'],
    ['/a%2fws', 'an escaped slash in lower case'],
    ['/a%5Cws', 'an escaped backslash'],
    ['/a%5cws', 'an escaped backslash in lower case'],
    ['/ws%2E', 'an escaped dot'],
    ['/ws%2Dx', 'an escaped hyphen'],
    ['/ws%5Fx', 'an escaped underscore'],
    ['/ws%41', 'an escaped A'],
    ['/ws%7A', 'an escaped z'],
    ['/ws%00', 'an escaped null byte'],
    ['/ws%0d%0a', 'an escaped line end'],
    ['/ws%1F', 'an escaped control'],
    ['/ws%7F', 'an escaped delete'],
    ['/ws%', 'an escape cut short'],
    ['/ws%2', 'an escape cut short'],
    ['/ws%zz', 'an escape of no digits'],
    ['/\\ws', 'a backslash'],
    ['\\ws', 'a backslash in place of the slash'],
    ['/ws\\..\\x', 'backslashes for slashes'],
    ['/ws#x', 'a fragment'],
    ['/ws x', 'a space'],
    ['/ws\t', 'a tab'],
    ['/ws\u0000', 'a null byte'],
    ['/ws\n', 'a line end'],
    ['/w\u00e9', 'a character beyond ASCII'],
    ['/ｗｓ', 'full-width letters'],
    ['/[ws]', 'brackets'],
    ['/{ws}', 'braces'],
    ['/w|s', 'a bar'],
    ['/w"s', 'a quote'],
    ['/w<s>', 'angle brackets'],
    ['/w^s', 'a caret'],
    ['/w`s', 'a backtick'],
  ])('refuses %j: %s', (target) => {
    expect(readTarget(target)).toBeUndefined()
  })

  it('knows one spelling of each escape', () => {
    expect(readTarget('/caf%C3%A9')).toBeDefined()
    expect(readTarget('/caf%c3%a9')).toBeUndefined()
    expect(readTarget('/caf%C3%a9')).toBeUndefined()
  })

  it('takes the target apart and changes nothing', () => {
    fc.assert(
      fc.property(target, (target) => {
        const read = readTarget(target)
        if (read) expect([`${read.path}?${read.query}`, read.path]).toContain(target)
      }),
      { numRuns: 500 },
    )
  })

  it('reads every path as a URL parser does', () => {
    fc.assert(
      fc.property(target, (target) => {
        const read = readTarget(target)
        if (read) expect(new URL(`http://host${target}`).pathname).toBe(read.path)
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads every path of plain segments, as encodeURIComponent writes them', () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/^\.{1,2}$|[/\\\p{Cc}]/u.test(text))
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
        const path = segments.map((text) => `/${encodeURIComponent(text)}`).join('')
        expect(readTarget(path)).toEqual({ path, query: '' })
      }),
    )
  })

  it('reads no two paths that a decoder takes for the same one', () => {
    // Reserved characters are left out: escaped and plain, RFC 3986 section 2.2 tells them apart.
    const path = fc.array(
      fc.constantFrom('/', 'a', '.', '%61', '%2E', '%2e', '~', '%7E', '%C3%A9', '%c3%A9', '%20', '%'),
    )
    fc.assert(
      fc.property(path, path, (one, other) => {
        const [a, b] = [`/${one.join('')}`, `/${other.join('')}`]
        if (readTarget(a) && readTarget(b) && decodeURI(a) === decodeURI(b)) expect(a).toBe(b)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is done at once with a flood', () => {
    for (const flood of floods) {
      for (const target of [flood, `/${flood}`, `/${flood}\u0000`, `/ws?${flood}`]) readTarget(target)
    }
  })
})

describe('singleHeader', () => {
  it('answers the value of a header that comes once, and says when it comes more often', () => {
    const line = fc.tuple(fc.constantFrom('origin', 'host', 'x'), anyText)
    fc.assert(
      fc.property(fc.array(line), (headers) => {
        const values = headers.filter(([name]) => name === 'origin').map(([, value]) => value)
        const expected = values.length > 1 ? repeated : values[0]
        expect(singleHeader({ ...handshake(), headers }, 'origin')).toBe(expected)
      }),
    )
  })

  it('takes two equal lines, and an empty one, for two', () => {
    for (const second of ['https://a.example', '']) {
      const headers = [
        ['origin', 'https://a.example'],
        ['origin', second],
      ] as const
      expect(singleHeader(handshake({ headers: headers.slice(0, 1) }), 'origin')).toBe('https://a.example')
      expect(singleHeader(handshake({ headers }), 'origin')).toBe(repeated)
      expect(singleHeader(handshake({ headers: headers.toReversed() }), 'origin')).toBe(repeated)
    }
  })

  it('finds no header in the prototype of anything', () => {
    expect(singleHeader(handshake(), '__proto__')).toBeUndefined()
    expect(singleHeader(handshake(), 'constructor')).toBeUndefined()
  })
})

describe('listHeader', () => {
  it('joins lines and trims items, in lower case', () => {
    const headers = [
      ['connection', 'keep-alive , Upgrade'],
      ['connection', 'TE'],
    ] as const
    expect(listHeader(handshake({ headers }), 'connection')).toEqual(['keep-alive', 'upgrade', 'te'])
    expect(listHeader(handshake(), 'te')).toEqual([])
  })

  it('answers the same items however they are spread over lines', () => {
    const item = fc.constantFrom('upgrade', 'keep-alive', 'te', 'x-y')
    fc.assert(
      fc.property(fc.array(fc.array(item, { minLength: 1 })), (lines) => {
        const headers = lines.map((items) => ['connection', items.join(' ,\t')] as const)
        expect(listHeader(handshake({ headers, without: ['connection'] }), 'connection')).toEqual(lines.flat())
      }),
    )
  })

  it('trims the white space of HTTP only', () => {
    expect(listHeader(handshake({ headers: [['upgrade', ' \twebsocket\t ']] }), 'upgrade')).toEqual(['websocket'])
    expect(listHeader(handshake({ headers: [['upgrade', 'websocket\u00a0']] }), 'upgrade')).not.toEqual(['websocket'])
  })

  it('is done at once with a flood', () => {
    for (const flood of floods) {
      for (const value of [flood, `a${flood}a`]) {
        expect(listHeader(handshake({ headers: [['connection', value]] }), 'connection')).not.toContain('upgrade')
      }
    }
  })
})

describe('fromNode', () => {
  const request = (changes: object) =>
    fromNode({
      method: 'GET',
      url: '/ws?a=b',
      httpVersion: '1.1',
      rawHeaders: [],
      socket: { remoteAddress: '192.0.2.1' },
      ...changes,
    } as unknown as IncomingMessage)

  it('keeps every header line in its order, names in lower case', () => {
    const rawHeaders = ['Host', 'a', 'ORIGIN', 'B', 'origin', 'c', '__proto__', 'd']
    expect(request({ rawHeaders })).toEqual({
      method: 'GET',
      target: '/ws?a=b',
      httpVersion: '1.1',
      address: '192.0.2.1',
      headers: [
        ['host', 'a'],
        ['origin', 'B'],
        ['origin', 'c'],
        ['__proto__', 'd'],
      ],
      request: expect.objectContaining({ rawHeaders }),
    })
  })

  it('reads the target that the client asked for, where a framework has cut it', () => {
    expect(request({ url: '/ticket?a', originalUrl: '/ws/ticket?a' }).target).toBe('/ws/ticket?a')
    expect(request({ url: '/ticket?a', originalUrl: 7 }).target).toBe('/ticket?a')
  })

  it('makes do with a socket that is already gone', () => {
    const { address, method, target } = request({ socket: { destroyed: true }, method: undefined, url: undefined })
    expect({ address, method, target }).toEqual({ address: '', method: '', target: '' })
  })
})

describe('fromFetch', () => {
  it('reads a request', () => {
    const request = new Request('http://api.example.com/ws/ticket?a=b', {
      method: 'POST',
      headers: { Authorization: 'Bearer good-ada', 'X-Other': 'B' },
    })
    const read = fromFetch(request, '192.0.2.1')
    expect(read).toMatchObject({ method: 'POST', target: '/ws/ticket?a=b', address: '192.0.2.1' })
    expect(singleHeader(read, 'authorization')).toBe('Bearer good-ada')
    expect(singleHeader(read, 'x-other')).toBe('B')
    expect(fromFetch(request).address).toBe('')
  })
})
