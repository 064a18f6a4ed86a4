import { expect, it } from 'vitest'
import { createCache } from '../../../src/verifiers/cache.js'

it('keeps a value until its end', () => {
  const cache = createCache<object>(10)
  const value = {}
  cache.set('key', value, 100)
  expect(cache.get('key', 99)).toBe(value)
  expect(cache.get('key', 100)).toBeUndefined()
  expect(cache.get('key', 99)).toBeUndefined()
})

it('lets the value used longest ago give way', () => {
  const cache = createCache<{ n: number }>(2)
  cache.set('a', { n: 1 }, 100)
  cache.set('b', { n: 2 }, 100)
  cache.get('a', 0)
  cache.set('c', { n: 3 }, 100)
  expect(['a', 'b', 'c'].map((key) => cache.get(key, 0)?.n)).toEqual([1, undefined, 3])
})

it('keeps nothing when it has no room', () => {
  const cache = createCache<object>(0)
  cache.set('key', {}, 100)
  expect(cache.get('key', 0)).toBeUndefined()
})
