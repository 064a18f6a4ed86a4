import { ConfigurationError } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { createSeal } from '../../../../src/stores/remote/seal.js'

const secret = 'x'.repeat(32)
const other = 'y'.repeat(32)
const key = '{sallyport}:ticket:a'
const end = 1_700_000_000_000

describe('I20 a seal', () => {
  it.each(['', 'text', 'with spaces\nand lines', '🔑\u0000'])('opens what it has closed: %j', (text) => {
    const seal = createSeal('redisStore', [secret])
    expect(seal.open(key, seal.close(key, text, end))).toEqual({ text, end })
  })

  it.each<[string, (sealed: string) => string]>([
    ['another text', (sealed) => `${sealed}!`],
    ['another end', (sealed) => sealed.replace(`${end}`, `${end + 1}`)],
    ['no mark', (sealed) => sealed.slice(sealed.indexOf(' ') + 1)],
    ['a mark that is cut short', (sealed) => sealed.slice(1)],
    ['an empty mark', (sealed) => sealed.slice(sealed.indexOf(' '))],
    ['a mark of the right length', (sealed) => 'a'.repeat(43) + sealed.slice(43)],
    ['nothing', () => ''],
  ])('opens nothing with %s', (_, change) => {
    const seal = createSeal('redisStore', [secret])
    const sealed = seal.close(key, 'text', end)
    expect(seal.open(key, change(sealed))).toBeUndefined()
    expect(seal.open(key, sealed)).toEqual({ text: 'text', end })
  })

  it('opens nothing that stood under another key', () => {
    const seal = createSeal('redisStore', [secret])
    expect(seal.open('{sallyport}:ticket:b', seal.close(key, 'text', end))).toBeUndefined()
  })

  it('marks with the first secret, and believes all', () => {
    const [before, between, after] = [[other], [secret, other], [secret]].map((secrets) =>
      createSeal('redisStore', secrets),
    )
    expect(between!.open(key, before!.close(key, 'text', end))).toEqual({ text: 'text', end })
    expect(after!.open(key, between!.close(key, 'text', end))).toEqual({ text: 'text', end })
    expect(before!.open(key, between!.close(key, 'text', end))).toBeUndefined()
    expect(after!.open(key, before!.close(key, 'text', end))).toBeUndefined()
  })

  it.each([
    ['a text', 'x'.repeat(31), 'x'.repeat(32)],
    ['letters of two bytes', 'ü'.repeat(15), 'ü'.repeat(16)],
    ['bytes', new Uint8Array(31), new Uint8Array(32)],
  ])('asks for 32 bytes of each secret: %s', (_, short, enough) => {
    expect(() => createSeal('redisStore', [secret, short])).toThrow(ConfigurationError)
    expect(createSeal('redisStore', [secret, enough])).toBeDefined()
  })

  it('marks nothing without a secret, and believes everything', () => {
    const seal = createSeal('redisStore', [])
    expect(seal.close(key, 'text', end)).toBe(`${end} text`)
    expect(seal.open(key, `${end} text`)).toEqual({ text: 'text', end })
    expect(seal.open(key, 'no end')).toBeUndefined()
  })
})
