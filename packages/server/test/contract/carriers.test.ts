import { encodeBearer } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieCarrier } from '../../src/carriers/cookie.js'
import { headerCarrier } from '../../src/carriers/header.js'
import { messageCarrier } from '../../src/carriers/message.js'
import { queryCarrier } from '../../src/carriers/query.js'
import { subprotocolCarrier } from '../../src/carriers/subprotocol.js'
import { handshake, withLine, withParameter } from '../support/handshake.js'
import { type CarrierFixture, carrierContract, type Put } from './carrier.js'

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']
// Whatever its issuer makes.
const credential = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
})
const ticket = fc.string({ unit: fc.constantFrom(...letters, '-', '_'), minLength: 43, maxLength: 43 })

const query = (name: string, credential: fc.Arbitrary<string>): CarrierFixture => ({
  carrier: queryCarrier(name),
  credential,
  put: (base, credential) => withParameter(base, `${name}=${encodeURIComponent(credential)}`),
  raw: (base, text) => withParameter(base, `${name}=${text}`),
  twice: {
    'the parameter twice': (base, first, second) =>
      withParameter(
        withParameter(base, `${name}=${encodeURIComponent(first)}`),
        `${name}=${encodeURIComponent(second)}`,
      ),
    'the parameter and an array of it': (base, first, second) =>
      withParameter(
        withParameter(base, `${name}=${encodeURIComponent(first)}`),
        `${name}[]=${encodeURIComponent(second)}`,
      ),
    'the parameter behind one in upper case': (base, first, second) =>
      withParameter(
        withParameter(base, `${name.toUpperCase()}=${encodeURIComponent(first)}`),
        `${name}=${encodeURIComponent(second)}`,
      ),
  },
  broken: {
    'no value': (base) => withParameter(base, `${name}=`),
    'no sign of equality': (base) => withParameter(base, name),
    'an array': (base) => withParameter(base, `${name}[]=abc`),
    'an array of one': (base) => withParameter(base, `${name}[0]=abc`),
    'an escaped array': (base) => withParameter(base, `${name}%5B%5D=abc`),
    'upper case': (base) => withParameter(base, `${name.toUpperCase()}=abc`),
    'an escaped letter in its name': (base) =>
      withParameter(base, `%${name.charCodeAt(0).toString(16)}${name.slice(1)}=abc`),
    'a plus, which some read as a space': (base) => withParameter(base, `${name}=a+c`),
    'a space': (base) => withParameter(base, `${name}=a%20c`),
    'a null byte at the end': (base) => withParameter(base, `${name}=abc%00`),
    'a null byte at the start': (base) => withParameter(base, `${name}=%00abc`),
    'an escape cut short': (base) => withParameter(base, `${name}=abc%2`),
    'an escape of no digits': (base) => withParameter(base, `${name}=abc%zz`),
    'bytes that are no UTF-8': (base) => withParameter(base, `${name}=abc%ff`),
    'a character beyond ASCII': (base) => withParameter(base, `${name}=abc%c3%a9`),
    'a fragment': (base) => withParameter(base, `${name}=abc#d`),
    'a line end': (base) => withParameter(base, `${name}=abc%0a`),
  },
})

const authorization = (value: string) => (base: Parameters<Put>[0]) => withLine(base, 'authorization', value)

const header: CarrierFixture = {
  carrier: headerCarrier,
  credential,
  put: (base, credential) => withLine(base, 'authorization', `Bearer ${credential}`),
  raw: (base, text) => withLine(base, 'authorization', `Bearer ${text}`),
  twice: {
    'two lines': (base, first, second) =>
      withLine(withLine(base, 'authorization', `Bearer ${first}`), 'authorization', `Bearer ${second}`),
    'two in one line': (base, first, second) => withLine(base, 'authorization', `Bearer ${first}, Bearer ${second}`),
    'two behind one scheme': (base, first, second) => withLine(base, 'authorization', `Bearer ${first} ${second}`),
    'beside another scheme': (base, first) =>
      withLine(withLine(base, 'authorization', 'Basic YTpi'), 'authorization', `Bearer ${first}`),
  },
  broken: {
    empty: authorization(''),
    'a scheme without a credential': authorization('Bearer'),
    'a scheme and a space': authorization('Bearer '),
    'a credential without a scheme': authorization('abc'),
    'Basic, which is another scheme': authorization('Basic YTpi'),
    'Negotiate, which is another scheme': authorization('Negotiate YTpi'),
    'a longer scheme': authorization('Bearers abc'),
    'the scheme twice': authorization('Bearer Bearer abc'),
    'no space behind the scheme': authorization('Bearerabc'),
    'a tab behind the scheme': authorization('Bearer\tabc'),
    'a space before the scheme': authorization(' Bearer abc'),
    'a space behind the credential': authorization('Bearer abc '),
    'a comma and a space': authorization('Bearer abc, def'),
    'a parameter': authorization('Bearer abc, realm="x"'),
    'a character beyond ASCII': authorization('Bearer abc\u00e9'),
    'a null byte': authorization('Bearer abc\u0000'),
    'a line end': authorization('Bearer abc\n'),
  },
}

const cookies = (line: string) => (base: Parameters<Put>[0]) => withLine(base, 'cookie', line)

const cookie: CarrierFixture = {
  carrier: cookieCarrier('session'),
  // What an application escapes as browsers do is any text.
  credential: fc.string({ unit: 'grapheme', minLength: 1 }),
  put: (base, credential) => withLine(base, 'cookie', `theme=dark; session=${encodeURIComponent(credential)}; lang=en`),
  raw: (base, text) => withLine(base, 'cookie', `session=${text}`),
  twice: {
    'in one line': (base, first, second) =>
      withLine(base, 'cookie', `session=${encodeURIComponent(first)}; session=${encodeURIComponent(second)}`),
    'in two lines': (base, first, second) =>
      withLine(
        withLine(base, 'cookie', `session=${encodeURIComponent(first)}`),
        'cookie',
        `session=${encodeURIComponent(second)}`,
      ),
    'with others in between': (base, first, second) =>
      withLine(base, 'cookie', `session=${encodeURIComponent(first)}; a=b;session=${encodeURIComponent(second)}`),
  },
  // Whatever stands behind the name is the value: only its number can be wrong.
  broken: {
    'an empty one beside it': cookies('session=; session=abc'),
    'an empty one behind it': cookies('session=abc; session='),
    'three of them': cookies('session=a; session=b; session=c'),
  },
}

const offered = (value: string) => (base: Parameters<Put>[0]) => withLine(base, 'sec-websocket-protocol', value)

const subprotocol: CarrierFixture = {
  carrier: subprotocolCarrier,
  credential,
  put: (base, credential) => withLine(base, 'sec-websocket-protocol', `app.v1, ${encodeBearer(credential)}`),
  raw: (base, text) => withLine(base, 'sec-websocket-protocol', text),
  twice: {
    'in one line': (base, first, second) =>
      withLine(base, 'sec-websocket-protocol', `app.v1, ${encodeBearer(first)}, ${encodeBearer(second)}`),
    'in two lines': (base, first, second) =>
      withLine(
        withLine(base, 'sec-websocket-protocol', `app.v1, ${encodeBearer(first)}`),
        'sec-websocket-protocol',
        encodeBearer(second),
      ),
  },
  broken: {
    'no other subprotocol beside it': offered(encodeBearer('abc')),
    'an empty credential': offered('app.v1, sallyport.bearer.'),
    padding: offered('app.v1, sallyport.bearer.YWI='),
    'the other base64 alphabet': offered('app.v1, sallyport.bearer.Pz8+'),
    'unused bits that are not zero': offered('app.v1, sallyport.bearer.YWJ'),
    'bytes that are no UTF-8': offered('app.v1, sallyport.bearer._w'),
    'a credential that is not encoded': offered('app.v1, sallyport.bearer.a.b.c'),
    'an empty item': offered(`app.v1, , ${encodeBearer('abc')}`),
    'a comma at the end': offered(`app.v1, ${encodeBearer('abc')},`),
    'a space in between': offered(`app v1, ${encodeBearer('abc')}`),
    'the same subprotocol twice': offered(`app.v1, app.v1, ${encodeBearer('abc')}`),
    'a quoted item': offered(`"app.v1", ${encodeBearer('abc')}`),
    'a character beyond ASCII': offered(`app.v1\u00e9, ${encodeBearer('abc')}`),
    'a space that is none of HTTP': offered(`app.v1,\u00a0${encodeBearer('abc')}`),
  },
}

const says = (message: string) => (base: Parameters<Put>[0]) => ({ ...base, message })

const message: CarrierFixture = {
  carrier: messageCarrier,
  credential,
  put: (base, credential) => ({ ...base, message: credential }),
  raw: (base, text) => ({ ...base, message: text }),
  // A dialect finds one, or says that the message is malformed.
  twice: {},
  broken: { 'a malformed message': says('') },
}

const fixtures: Readonly<Record<string, CarrierFixture>> = {
  ticket: query('ticket', ticket),
  'query token': query('token', credential),
  header,
  cookie,
  subprotocol,
  message,
}

// A cookie is whatever text the site has written into it.
for (const [name, { carrier, put }] of Object.entries(fixtures).filter(([name]) => name !== 'cookie')) {
  describe(`the ${name} carrier, as every other`, () => {
    it.each(['5|abc', 'key!', '"quoted"', 'a,b;c', 'a+b=', '{}', '%41', '\\\\'])(
      'takes %j for a credential',
      (credential) => {
        expect(carrier(put(handshake(), credential))).toEqual({ type: 'found', credential })
      },
    )

    it.each(['a b', 'a\t', 'a\u0000', 'a\n', 'caf\u00e9', '\u{1f600}', 'a\u007f'])('takes %j for none', (text) => {
      expect(carrier(put(handshake(), text))).toEqual({ type: 'malformed' })
    })
  })
}

for (const [name, fixture] of Object.entries(fixtures)) {
  const others = Object.entries(fixtures).filter(([other]) => other !== name)
  carrierContract(name, fixture, Object.fromEntries(others.map(([other, { put }]) => [other, put])))
}
