import { encodeBearer } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieCarrier } from '../../src/carriers/cookie.js'
import { headerCarrier } from '../../src/carriers/header.js'
import { messageCarrier } from '../../src/carriers/message.js'
import { hidingParameters, queryCarrier } from '../../src/carriers/query.js'
import { selectSubprotocol } from '../../src/carriers/subprotocol.js'
import { anyText, floods, handshake, textOf } from '../support/handshake.js'

const withoutCredentials = hidingParameters('ticket', 'token')
const anyQuery = fc.oneof(
  textOf('ticket', 'token', 'TOKEN', 'tick%65t', '%74oken', '[', ']', '%5B', '=', '&', '+', '%', '%zz', 'a', 'tokens'),
  anyText,
)
const plainText = fc.string({ unit: 'grapheme' })
// With a question mark in front, or else the parser would take away one that belongs to the query.
const parameters = (query: string) => [...new URLSearchParams(`?${query}`)]
const secretKey = /^(?:ticket|token)(?:\[|$)/i

describe('queryCarrier', () => {
  const read = (query: string) => queryCarrier('ticket')(handshake({ target: `/ws?${query}` }))

  it.each(['tickets=x', 'myticket=x', 'a=ticket', 'ticket.x=y', 'tick=x', 'a%3Dticket=x', 'ticketx[]=y', '=ticket'])(
    'is absent from ?%s',
    (query) => {
      expect(read(`${query}&ticket=abc`)).toEqual({ type: 'found', credential: 'abc' })
      expect(read(query)).toEqual({ type: 'absent' })
    },
  )

  it('finds it between other parameters, whatever they hold', () => {
    fc.assert(
      fc.property(plainText, plainText, (before, behind) => {
        const other = (text: string) => `x${encodeURIComponent(text)}=%&?=`
        expect(read(`${other(before)}&ticket=abc&${other(behind)}`)).toEqual({ type: 'found', credential: 'abc' })
      }),
    )
  })

  it('finds what URLSearchParams would find, or calls it malformed', () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        const reading = read(query)
        const values = parameters(query).flatMap(([key, value]) => (key === 'ticket' ? [value] : []))
        if (reading.type === 'found') expect(values).toEqual([reading.credential])
        if (values.length > 0) expect(reading.type).not.toBe('absent')
      }),
      { numRuns: 1_000 },
    )
  })

  it('is absent when the target cannot be read', () => {
    expect(queryCarrier('ticket')(handshake({ target: '//ws?ticket=abc' }))).toEqual({ type: 'absent' })
  })
})

describe('withoutCredentials', () => {
  /** The parameters as a connection shows them. */
  const left = (query: string) => parameters(withoutCredentials(query))

  it.each([
    ['', ''],
    ['a=b', 'a=b'],
    ['ticket=x', ''],
    ['token=x', ''],
    ['a=b&ticket=x&c=d', 'a=b&c=d'],
    ['ticket=x&a=b&token=y&ticket=z', 'a=b'],
    ['TICKET=x&Token=y&a=b', 'a=b'],
    ['ticket[]=x&token[0]=y&ticket%5B%5D=z&a=b', 'a=b'],
    ['%74icket=x&tok%65n=y&a=b', 'a=b'],
    ['%54icket=x&tok%45n=y&a=b', 'a=b'],
    ['ticket&a=b', 'a=b'],
    ['ticket[%zz=x&a=b', 'a=b'],
    ['tickets=x&mytoken=y', 'tickets=x&mytoken=y'],
    ['a=ticket&b=%zz&&c', 'a=ticket&b=%zz&&c'],
    ['?ticket=x', '?ticket=x'],
  ])('leaves of %j: %j', (query, expected) => {
    expect(left(query)).toEqual(parameters(expected))
  })

  it('leaves no parameter that carries a credential, and every other one as it was', () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        expect(left(query)).toEqual(parameters(query).filter(([key]) => !secretKey.test(key)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is done at once with a flood', () => {
    for (const flood of floods) expect(withoutCredentials(`a=b&${flood}`)).toMatch(/^a=b/)
  })
})

describe('a query of a thousand parameters', () => {
  const length = 16_384
  const carrier = queryCarrier('ticket')
  /** The least time of many, so that what else the machine does is not measured. */
  const time = (query: string) => {
    const request = handshake({ target: `/ws?${query}` })
    const once = () => {
      const start = performance.now()
      expect(carrier(request).type).toBe('absent')
      withoutCredentials(query)
      return performance.now() - start
    }
    return Math.min(...Array.from({ length: 300 }, once))
  }
  const one = time(`a=${'x'.repeat(length)}`)

  it.each(['a&', '&', 'a=%&', '%61=&', 'tick%65&', 't&', '%'])('G17 costs what one as long does: %j', (piece) => {
    // To take them apart one by one takes two milliseconds.
    expect(time(piece.repeat(length / piece.length))).toBeLessThan(10 * one + 0.5)
  })
})

describe('headerCarrier', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER abc', 'Bearer   abc'])('finds the credential in %j', (value) => {
    expect(headerCarrier(handshake({ headers: [['authorization', value]] }))).toEqual({
      type: 'found',
      credential: 'abc',
    })
  })
})

describe('cookieCarrier', () => {
  const read = (line: string, name = 'session') => cookieCarrier(name)(handshake({ headers: [['cookie', line]] }))

  it.each([
    ['session=abc', 'abc'],
    ['session="abc"', 'abc'],
    ['session=a%20b', 'a b'],
    ['session="a%20b"', 'a b'],
    ['session=a+b', 'a+b'],
    ['session=a=b==', 'a=b=='],
    ['session=a b', 'a b'],
    ['session= abc ', 'abc'],
    ['session=abc\t;', 'abc'],
    ['session="', '"'],
    ['session="a', '"a'],
    ['session=%', '%'],
    ['session=%zz', '%zz'],
    ['session=100%', '100%'],
    ['session=%ff', '%ff'],
    ['session=abc\u00a0', 'abc\u00a0'],
    ['\tsession=abc', 'abc'],
    ['a=b;session=abc;c=d', 'abc'],
    ['a;;=b; session=abc', 'abc'],
    ['session; session=abc', 'abc'],
  ])('finds in %j: %j', (line, credential) => {
    expect(read(line)).toEqual({ type: 'found', credential })
  })

  it.each([
    ['', 'nothing'],
    ['session', 'no sign of equality'],
    ['=session=abc', 'a cookie without a name'],
    ['Session=abc', 'another case'],
    ['SESSION=abc', 'upper case'],
    ['session =abc', 'a space behind the name'],
    ['\u2000session=abc', 'a space that is none of HTTP'],
    ['\u00a0session=abc', 'a space that is none of HTTP'],
    ['\u0000session=abc', 'a null byte'],
    ['sess%69on=abc', 'an escaped name'],
    ['"session"=abc', 'a quoted name'],
    ['$Version=1,session=abc', 'a list with a comma'],
    ['a="x', 'an open quote'],
    ['a=session=abc', 'a value that looks like one'],
    ['session[]=abc', 'an array'],
    ['session.sig=abc', 'a longer name'],
    ['mysession=abc', 'a longer name'],
  ])('is absent from %j: %s', (line) => {
    expect(read('session=abc')).toEqual({ type: 'found', credential: 'abc' })
    expect(read(line)).toEqual({ type: 'absent' })
  })

  it('reads quotes as part of the value, never across a semicolon', () => {
    expect(read('a="; session=planted; b="')).toEqual({ type: 'found', credential: 'planted' })
    expect(read('a="; session=planted; b="; session=abc')).toEqual({ type: 'malformed' })
  })

  it('reads any name that a cookie can have, and no other cookie', () => {
    const name = fc.string({ unit: fc.constantFrom(..."!#$%&'*+-.^_`|~azAZ09"), minLength: 1 })
    fc.assert(
      fc.property(name, name, (name, other) => {
        expect(read(`${name}=abc`, name)).toEqual({ type: 'found', credential: 'abc' })
        if (other !== name) expect(read(`${other}=abc`, name)).toEqual({ type: 'absent' })
      }),
    )
  })
})

describe('messageCarrier', () => {
  it('is absent until the message has come', () => {
    expect(messageCarrier(handshake())).toEqual({ type: 'absent' })
  })
})

describe('selectSubprotocol', () => {
  const select = (value: string, allowed: string[]) =>
    selectSubprotocol(handshake({ headers: [['sec-websocket-protocol', value]] }), allowed)

  it.each([
    ['app.v1', ['app.v1'], 'app.v1'],
    ['app.v2, app.v1', ['app.v1', 'app.v2'], 'app.v2'],
    [`${encodeBearer('abc')}, app.v1`, ['app.v1'], 'app.v1'],
    ['app.v3, app.v1', ['app.v1'], 'app.v1'],
    ['App.v1', ['app.v1'], undefined],
    ['app.v3', ['app.v1'], undefined],
    ['app.v1', [], undefined],
    ['app.v1,', ['app.v1'], undefined],
    ['app.v1, app.v1', ['app.v1'], undefined],
    [encodeBearer('abc'), [encodeBearer('abc')], undefined],
  ])('of %j and %j: %j', (value, allowed, expected) => {
    expect(select(value, allowed)).toBe(expected)
  })

  it('selects nothing when none is offered', () => {
    expect(selectSubprotocol(handshake(), ['app.v1'])).toBeUndefined()
  })

  it('reads several lines as one list', () => {
    const offering = (...lines: string[]) =>
      handshake({ headers: lines.map((line) => ['sec-websocket-protocol', line] as const) })
    expect(selectSubprotocol(offering('app.v2', 'app.v1'), ['app.v1', 'app.v2'])).toBe('app.v2')
    expect(selectSubprotocol(offering('app.v1', 'app.v1'), ['app.v1'])).toBeUndefined()
    expect(selectSubprotocol(offering('app.v1', ''), ['app.v1'])).toBeUndefined()
  })

  it('selects only what is both offered and allowed, and never a credential', () => {
    const name = fc.constantFrom('app.v1', 'app.v2', 'chat', encodeBearer('abc'), 'sallyport.bearer.')
    fc.assert(
      fc.property(fc.array(name), fc.array(name), (offered, allowed) => {
        const selected = select(offered.join(', '), allowed)
        if (selected === undefined) return
        expect(offered).toContain(selected)
        expect(allowed).toContain(selected)
        expect(selected.startsWith('sallyport.bearer.')).toBe(false)
      }),
    )
  })
})
