import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bearerPrefix, decodeBearer, encodeBearer, readSubprotocols } from '../src/index.js'

const credential = fc.string({ unit: 'grapheme', minLength: 1 })
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const separators = '()<>@,;:\\"/[]?={} \t'

describe('encodeBearer', () => {
  it('is undone by decodeBearer', () => {
    fc.assert(
      fc.property(credential, (credential) => {
        expect(decodeBearer(encodeBearer(credential))).toBe(credential)
      }),
    )
  })

  it('writes base64url without padding, as Node.js does', () => {
    fc.assert(
      fc.property(credential, (credential) => {
        expect(encodeBearer(credential)).toBe(`sallyport.bearer.${Buffer.from(credential).toString('base64url')}`)
      }),
    )
  })

  it('writes a token that can stand in Sec-WebSocket-Protocol', () => {
    fc.assert(
      fc.property(credential, (credential) => {
        const bearer = encodeBearer(credential)
        expect(readSubprotocols(`app.v1, ${bearer}`)).toEqual(['app.v1', bearer])
      }),
    )
  })
})

describe('decodeBearer', () => {
  it('takes one spelling of each credential', () => {
    const spelled = fc
      .string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 12 })
      .map((rest) => bearerPrefix + rest)
    fc.assert(
      fc.property(spelled, (subprotocol) => {
        const credential = decodeBearer(subprotocol)
        if (credential !== undefined) expect(encodeBearer(credential)).toBe(subprotocol)
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes one of the four or sixteen last characters that decode alike', () => {
    for (const [credential, spellings] of [
      ['ab', 4],
      ['a', 16],
    ] as const) {
      const canonical = encodeBearer(credential)
      const alike = [...alphabet]
        .map((last) => canonical.slice(0, -1) + last)
        .filter((variant) => Buffer.from(variant.slice(bearerPrefix.length), 'base64url').toString() === credential)
      expect(alike).toHaveLength(spellings)
      expect(alike.filter((variant) => decodeBearer(variant) !== undefined)).toEqual([canonical])
    }
  })

  it('keeps a byte order mark, which is part of the credential', () => {
    expect(decodeBearer(encodeBearer('\ufeffa'))).toBe('\ufeffa')
  })

  it.each([
    ['', 'nothing'],
    ['YWI=', 'padding'],
    ['YW I', 'white space'],
    ['YWI\n', 'a line end'],
    ['YWJ', 'unused bits that are not zero'],
    ['YWIx?', 'a character of no alphabet'],
    ['+w', 'the other alphabet'],
    ['_w', 'bytes that are no UTF-8'],
    ['wIA', 'an overlong spelling'],
    ['7aCA', 'half a surrogate pair'],
    ['Y', 'a single character'],
    ['YWI.YWI', 'two parts'],
  ])('does not read %j: %s', (rest) => {
    expect(decodeBearer(`${bearerPrefix}YWI`)).toBe('ab')
    expect(decodeBearer(bearerPrefix + rest)).toBeUndefined()
  })

  it('does not read another prefix, whatever its length', () => {
    for (const prefix of ['', 'Sallyport.bearer.', 'sallyport-bearer.', 'app.v1', `x${bearerPrefix}`]) {
      expect(decodeBearer(`${prefix}YWI`)).toBeUndefined()
    }
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        const answers = [decodeBearer(rest), decodeBearer(bearerPrefix + rest)]
        expect(answers.every((answer) => answer === undefined || answer !== '')).toBe(true)
      }),
    )
  })
})

describe('readSubprotocols', () => {
  const item = fc.string({ unit: fc.constantFrom(...alphabet, ..."!#$%&'*+.^`|~"), minLength: 1, maxLength: 20 })
  const space = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 })
  const spacedItem = fc.tuple(space, item, space)

  it('reads tokens between commas, in their order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(spacedItem, { minLength: 1, selector: ([, item]) => item }), (items) => {
        expect(readSubprotocols(items.map((parts) => parts.join('')).join(','))).toEqual(items.map(([, item]) => item))
      }),
    )
  })

  it('reads none when one of them comes twice', () => {
    fc.assert(
      fc.property(fc.uniqueArray(item, { minLength: 1 }), fc.nat(), fc.nat(), (items, which, at) => {
        const repeated = items.toSpliced(at % (items.length + 1), 0, items[which % items.length]!)
        expect(readSubprotocols(items.join(','))).toEqual(items)
        expect(readSubprotocols(repeated.join(','))).toBeUndefined()
      }),
    )
  })

  it('reads none when one of them has a character that no token has', () => {
    const outside = fc.oneof(
      fc.constantFrom(...separators.replace(',', '')),
      fc.integer({ min: 0x7f, max: 0x2fff }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0, max: 0x1f }).map((code) => String.fromCharCode(code)),
    )
    fc.assert(
      fc.property(item, outside, item, (before, char, after) => {
        expect(readSubprotocols(`a, ${before}${after}`)).toBeDefined()
        expect(readSubprotocols(`a, ${before}${char}${after}`)).toBeUndefined()
      }),
    )
  })

  it.each(['', ' ', ',', 'a,', ',a', 'a,,b', 'a, ,b', 'a b', 'a\u00a0', '\u2003a', 'a\nb', 'é', '"a"'])(
    'reads none of %j',
    (header) => {
      expect(readSubprotocols('a, b')).toEqual(['a', 'b'])
      expect(readSubprotocols(header)).toBeUndefined()
    },
  )

  it('tells upper case from lower', () => {
    expect(readSubprotocols('chat, Chat')).toEqual(['chat', 'Chat'])
  })

  // Far over what any server takes for a head: a parser that is quadratic in it would be busy for longer than a test may take.
  it.each([' ', ',', ', ', 'a', 'a,', 'a, ', 'a ', '\t'])('is done at once with a flood of %j', (piece) => {
    const flood = piece.repeat(131_072 / piece.length)
    for (const header of [flood, `a${flood}`, `${flood}a`, `a${flood}"`, `"${flood}"`]) {
      const items = readSubprotocols(header)
      expect(items === undefined || items.every((item) => /^a+$/.test(item))).toBe(true)
    }
  })

  it('reads a thousand of them', () => {
    const items = Array.from({ length: 1_000 }, (_, i) => `p${i}`)
    expect(readSubprotocols(items.join(', '))).toEqual(items)
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        expect(readSubprotocols(header)?.every((item) => item !== '')).not.toBe(false)
      }),
    )
  })
})
