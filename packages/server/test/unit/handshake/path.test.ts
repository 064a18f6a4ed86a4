import { ConfigurationError } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, overlap, pathReader } from '../../../src/handshake/path.js'
import { readTarget } from '../../../src/handshake/request.js'

describe('pathReader', () => {
  it.each<[string, string, object | undefined]>([
    ['/ws', '/ws', {}],
    ['/ws', '/ws/', undefined],
    ['/', '/', {}],
    ['/yjs/:room', '/yjs/plans', { room: 'plans' }],
    ['/yjs/:room', '/yjs/a%20b', { room: 'a b' }],
    ['/yjs/:room', '/yjs/%C3%A9', { room: 'é' }],
    ['/yjs/:room', '/yjs/%C3', undefined],
    ['/yjs/:room', '/yjs/', undefined],
    ['/yjs/:room', '/yjs', undefined],
    ['/yjs/:room', '/yjs/a/b', undefined],
    ['/yjs/:room', '/YJS/a', undefined],
    ['/:a/x/:b_2', '/1/x/2', { a: '1', b_2: '2' }],
    ['/:a/x/:b_2', '/1/y/2', undefined],
    ['/:a', '/:a', { a: ':a' }],
    ['/a:b', '/a:b', {}],
  ])('reads by %s from %s: %j', (pattern, path, params) => {
    expect(pathReader('test', pattern)(path)).toEqual(params)
  })

  it.each(['ws', '', '/ws?x', '//ws', '/ws/../x', '/:', '/:1', '/:a-b', '/:a/:a', '/x/:a.b'])(
    'takes %j for no path',
    (path) => {
      expect(() => pathReader('test', path)).toThrow(ConfigurationError)
    },
  )

  it('asks a function, and looks at what it answers', () => {
    const answers: unknown[] = [{ room: 'a' }, undefined, { room: 1 }, null, 'room', Promise.resolve({})]
    const read = pathReader('test', () => answers.shift() as undefined)
    expect(read('/a')).toEqual({ room: 'a' })
    expect(read('/a')).toBeUndefined()
    for (let left = answers.length; left > 0; left--) expect(() => read('/a')).toThrow(TypeError)
  })

  it('reads back what was encoded, in the one spelling that a path has', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (room) => {
        const path = `/yjs/${encodeURIComponent(room)}`
        if (!readTarget(path)) return
        expect(pathReader('test', '/yjs/:room')(path)).toEqual({ room: room })
      }),
    )
  })
})

describe('two routes', () => {
  it.each<[string, string, boolean, boolean]>([
    ['/ws', '/ws', true, true],
    ['/ws', '/x', false, false],
    ['/yjs/:room', '/yjs/main', true, true],
    ['/yjs/main', '/yjs/:room', false, true],
    ['/yjs/:room', '/yjs/:name', true, true],
    ['/:a/x', '/y/:b', false, true],
    ['/:a', '/y/:b', false, false],
  ])('%s and %s: the first has all of it %s, some of it %s', (first, second, all, some) => {
    expect([covers(first, second), overlap(first, second)]).toEqual([all, some])
  })

  it('of functions are told apart by the function alone', () => {
    const [a, b] = [() => undefined, () => undefined]
    expect([covers(a, a), covers(a, b), covers('/ws', a), overlap(a, b), overlap(a, '/ws')]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
