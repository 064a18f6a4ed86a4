import type { Handshake } from '@sallyport/server'
import fc from 'fast-check'

/** A header line, its name in lower case. */
export type HeaderLine = readonly [name: string, value: string]

/** What differs from a good handshake. */
export interface HandshakeChanges extends Partial<Omit<Handshake, 'headers'>> {
  /** Header lines; they take the place of all lines of the same name. */
  readonly headers?: readonly HeaderLine[]
  /** Names of headers to leave out. */
  readonly without?: readonly string[]
}

const goodHeaders: readonly HeaderLine[] = [
  ['host', 'api.example.com'],
  ['connection', 'Upgrade'],
  ['upgrade', 'websocket'],
  ['sec-websocket-version', '13'],
  ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]

/** A good handshake for `/ws` without a credential, with some of it changed. */
export function handshake({ headers = [], without = [], ...rest }: HandshakeChanges = {}): Handshake {
  const replaced = new Set([...without, ...headers.map(([name]) => name)])
  return {
    method: 'GET',
    target: '/ws',
    httpVersion: '1.1',
    address: '192.0.2.1',
    ...rest,
    headers: [...goodHeaders.filter(([name]) => !replaced.has(name)), ...headers],
  }
}

/** The same handshake with one more header line. */
export const withLine = (base: Handshake, ...line: HeaderLine): Handshake => ({
  ...base,
  headers: [...base.headers, line],
})

/** The same handshake with one more query parameter, spelled as given. */
export const withParameter = (base: Handshake, parameter: string): Handshake => ({
  ...base,
  target: base.target + (base.target.includes('?') ? '&' : '?') + parameter,
})

/** Any text, of any code units. */
export const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.string({ unit: 'grapheme' }))

/** Text put together from pieces that mean something to the parser under test, and some that mean nothing. */
export const textOf = (...pieces: string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string() }))
    .map((parts) => parts.join(''))

const headerNames = [
  ...goodHeaders.map(([name]) => name),
  'origin',
  'authorization',
  'cookie',
  'sec-websocket-protocol',
  'content-length',
  'transfer-encoding',
  'sec-fetch-mode',
  'sec-fetch-site',
  '__proto__',
]

/** Any handshake at all, with a bias to what comes close to a good one. */
export const anyHandshake: fc.Arbitrary<Handshake> = fc
  .record({
    method: fc.oneof(fc.constantFrom('GET', 'POST', ''), anyText),
    target: fc.oneof(
      textOf('/', 'ws', '?', '&', '=', 'ticket', 'token', 'good-ada', '%', '%74', '[', ']', '+', '.', '#'),
      anyText,
    ),
    httpVersion: fc.constantFrom('1.1', '1.0', '2.0'),
    headers: fc.array(
      fc.tuple(
        fc.constantFrom(...headerNames),
        fc.oneof(
          textOf(
            'Bearer ',
            'good-ada',
            'session',
            '=',
            ';',
            ',',
            ' ',
            '"',
            '%',
            'sallyport.bearer.',
            'Z29vZC1hZGE',
            'app.v1',
          ),
          fc.constantFrom('https://app.example.com', 'null', 'websocket', 'cross-site'),
          anyText,
        ),
      ),
    ),
    message: fc.option(
      fc.oneof(textOf('{', '}', '"type"', ':', '"auth"', ',', '"token"', '"good-ada"', 'null', '[', ']'), anyText),
    ),
    complete: fc.boolean(),
  })
  .map(({ message, headers, complete, ...rest }) => ({
    ...rest,
    address: '192.0.2.1',
    headers: complete ? [...goodHeaders, ...headers] : headers,
    ...(message !== null && { message }),
  }))

// 128 KiB is far over what any server takes for a head. A parser that is quadratic in it would be busy for longer than a
// test may take; one that is linear is done at once.
const floodSize = 131_072

/** Long texts of what parsers stumble over. */
export const floods: readonly string[] = [
  ...' ,;=&%."\\/[({+a-:?\t',
  ', ',
  '; ',
  'a,',
  'a.',
  'a=',
  '/a',
  '/.',
  '%2',
  '%41',
  '\\"',
  'ticket=',
  'session=;',
].map((piece) => piece.repeat(Math.ceil(floodSize / piece.length)))
