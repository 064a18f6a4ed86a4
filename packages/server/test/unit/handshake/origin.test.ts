import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOriginPolicy } from '../../../src/handshake/origin.js'
import { ConfigurationError } from '../../../src/support/errors.js'
import { anyText, floods, textOf } from '../../support/handshake.js'

const allowed = 'https://app.example.com'

/** What looks like an origin, and often nearly is one. */
const nearOrigin = textOf(
  ...[
    'https',
    'http',
    'wss',
    '://',
    ':',
    '/',
    '//',
    '@',
    '.',
    'app',
    'example',
    'com',
    'evil',
    '443',
    '80',
    '8443',
    '*',
  ],
  ...[
    'HTTPS',
    'App',
    'null',
    'file',
    ',',
    ' ',
    '\t',
    '\u0000',
    '%2e',
    'xn--',
    '-',
    '_',
    '?',
    '#',
    '\\',
    '[::1]',
    '127.0.0.1',
  ],
)
const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/)

describe('createOriginPolicy', () => {
  it.each([
    [allowed, 'as it is'],
    ['https://APP.example.COM', 'another case of the host'],
    ['HTTPS://app.example.com', 'another case of the scheme'],
    ['https://app.example.com:443', 'the default port'],
  ])('allows what is equal: %s, %s', (origin) => {
    expect(createOriginPolicy([allowed])(origin)).toBe(true)
  })

  it.each([
    'http://localhost:5173',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'chrome-extension://abcdefghijklmnop',
    'capacitor://localhost',
    'app://obsidian.md',
    'file://',
    'https://xn--bcher-kva.example',
  ])('can be told to allow %s', (origin) => {
    const policy = createOriginPolicy([origin])
    expect(policy(origin)).toBe(true)
    expect(policy(allowed)).toBe(false)
  })

  it('folds the default port in the list too', () => {
    const policy = createOriginPolicy(['https://App.Example.com:443', 'http://a.example:80', 'http://b.example:443'])
    expect(policy(allowed)).toBe(true)
    expect(policy('http://a.example')).toBe(true)
    expect(policy('http://b.example')).toBe(false)
    expect(policy('http://b.example:443')).toBe(true)
  })

  it('allows each of several, and no mixture of them', () => {
    const policy = createOriginPolicy(['https://a.example', 'http://b.example:8080'])
    expect(policy('https://a.example')).toBe(true)
    expect(policy('http://b.example:8080')).toBe(true)
    for (const mixed of ['http://a.example', 'https://b.example:8080', 'http://b.example', 'https://a.example:8080']) {
      expect(policy(mixed)).toBe(false)
    }
  })

  it('allows an origin exactly when it is one of the list, whatever it looks like', () => {
    const policy = createOriginPolicy([allowed, 'http://app.example.com:8080'])
    fc.assert(
      fc.property(fc.oneof(nearOrigin, anyText), (origin) => {
        const equal = /^https:\/\/app\.example\.com(:443)?$|^http:\/\/app\.example\.com:8080$/i.test(origin)
        expect(policy(origin)).toBe(equal)
      }),
      { numRuns: 2_000 },
    )
  })

  it('allows no text that a URL parser takes for another origin', () => {
    const policy = createOriginPolicy([allowed])
    fc.assert(
      fc.property(fc.oneof(nearOrigin, anyText), (origin) => {
        if (policy(origin)) expect(new URL(origin).origin).toBe(allowed)
      }),
    )
  })

  it('allows no origin that is one edit away from the allowed one', () => {
    const policy = createOriginPolicy([allowed])
    const edit = fc.tuple(
      fc.nat(allowed.length),
      fc.nat(1),
      fc.option(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 })),
    )
    fc.assert(
      fc.property(edit, ([at, removed, inserted]) => {
        const edited = [...allowed].toSpliced(at, removed, ...(inserted === null ? [] : [inserted])).join('')
        expect(policy(edited)).toBe(edited.toLowerCase() === allowed)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes no letter beyond ASCII for one within', () => {
    const policy = createOriginPolicy(['https://kiosk.example.com'])
    expect(policy('https://kiosk.example.com')).toBe(true)
    // The Kelvin sign, whose lower case is the letter k.
    expect(policy('https://\u212aiosk.example.com')).toBe(false)
  })

  it('lets a wildcard stand for exactly one label', () => {
    const policy = createOriginPolicy(['https://*.example.com'])
    fc.assert(
      fc.property(label, label, (one, two) => {
        expect(policy(`https://${one}.example.com`)).toBe(true)
        expect(policy(`https://${one}.example.com:443`)).toBe(true)
        for (const other of [
          'https://example.com',
          'https://.example.com',
          `https://${one}.${two}.example.com`,
          `https://${one}-example.com`,
          `https://${one}example.com`,
          `https://${one}.example.com.evil.example`,
          `https://${one}.example.com:8443`,
          `http://${one}.example.com`,
          `https://${one}@evil.example.com.evil`,
          `https://evil.example/${one}.example.com`,
          `https://${one}.example.com/`,
        ]) {
          expect(policy(other)).toBe(false)
        }
      }),
    )
    expect(policy('null')).toBe(false)
    expect(policy('https://*.example.com')).toBe(false)
  })

  it('keeps the port of a wildcard', () => {
    const policy = createOriginPolicy(['https://*.example.com:8443'])
    expect(policy('https://a.example.com:8443')).toBe(true)
    expect(policy('https://a.example.com')).toBe(false)
    expect(policy('https://a.example.com:443')).toBe(false)
  })

  it.each([
    ['*', 'everything'],
    ['null', 'the origin of sandboxed frames'],
    ['', 'nothing'],
    ['app.example.com', 'no scheme'],
    ['https://', 'no host'],
    ['https://app.example.com/', 'a path'],
    ['https://app.example.com/ws', 'a path'],
    ['https://user@app.example.com', 'user information'],
    ['https://app.example.com.', 'a trailing dot'],
    ['https://app.example.com:', 'an empty port'],
    ['https://app.example.com:https', 'a port of letters'],
    ['https://*', 'every host'],
    ['https://*.com', 'a whole top-level domain'],
    ['https://*.*.example.com', 'two wildcards'],
    ['https://app.*.com', 'a wildcard in the middle'],
    ['https://app*.example.com', 'half a wildcard'],
    ['*.example.com', 'a wildcard without a scheme'],
    ['*://app.example.com', 'every scheme'],
    ['https://app.example.com:*', 'every port'],
    ['https://a.example, https://b.example', 'a list in one text'],
    ['https://bücher.example', 'a host that browsers write in punycode'],
    [' https://app.example.com', 'a space'],
  ])('does not take %j: %s', (origin) => {
    expect(() => createOriginPolicy([allowed])).not.toThrow()
    expect(() => createOriginPolicy([allowed, origin])).toThrow(ConfigurationError)
  })

  it('does not take an empty list', () => {
    expect(() => createOriginPolicy([])).toThrow(ConfigurationError)
  })

  it('compiles any list or says why not', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(nearOrigin, anyText)), anyText, (origins, origin) => {
        try {
          expect(createOriginPolicy(origins)(origin)).toBeTypeOf('boolean')
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      }),
    )
  })

  it('is done at once with a flood', () => {
    const policy = createOriginPolicy([allowed, 'https://*.example.org'])
    for (const flood of floods) {
      for (const origin of [flood, `https://${flood}`, `https://${flood}!`, `https://${flood}.example.org`]) {
        policy(origin)
      }
      expect(policy(`${allowed}${flood}`)).toBe(false)
    }
  })
})
