import { describe, expect, it } from 'vitest'
import { findUnplain } from '../../../src/support/plain.js'

class Document {
  readonly id = 'ada'
}

const loop: Record<string, unknown> = {}
loop.self = loop

describe('findUnplain', () => {
  it.each<[string, unknown]>([
    ['texts, numbers, nothing', { id: 'ada', age: 36, isAdmin: true, tenant: null }],
    ['lists and objects', { roles: ['admin'], address: { city: 'London', codes: [1, { a: 'b' }] } }],
    ['a field that is undefined', { id: 'ada', tenant: undefined }],
    ['an object without a prototype', Object.assign(Object.create(null), { id: 'ada' })],
    ['what is frozen', Object.freeze({ id: 'ada' })],
  ])('finds nothing in %s, which come back from JSON as they were', (_, value) => {
    expect(findUnplain(value, 'identity')).toBeUndefined()
    expect(JSON.parse(JSON.stringify(value))).toEqual(value)
  })

  it.each<[string, unknown, string]>([
    ['a date', { at: new Date(0) }, 'identity.at is a Date'],
    ['a map', { roles: new Map() }, 'identity.roles is a Map'],
    ['an instance of a class', new Document(), 'identity is a Document'],
    ['a function', { toJSON: () => 'x' }, 'identity.toJSON is a function'],
    ['a big integer', { id: 1n }, 'identity.id is a bigint'],
    ['NaN', { age: Number.NaN }, 'identity.age is a number that is not finite'],
    ['a hole in a list', { roles: ['admin', undefined] }, 'identity.roles[1] is undefined'],
    ['what stands deep', { a: [{ b: Symbol('c') }] }, 'identity.a[0].b is a symbol'],
  ])('finds %s', (_, value, found) => {
    expect(findUnplain(value, 'identity')).toBe(found)
  })

  it('finds that an object holds itself', () => {
    expect(findUnplain(loop, 'identity')).toMatch(/ is nested too deeply, or holds itself$/)
  })
})
