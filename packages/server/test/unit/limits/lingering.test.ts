import { describe, expect, it } from 'vitest'
import { Lingering } from '../../../src/limits/lingering.js'
import { testClock } from '../../support/clock.js'

function setUp() {
  const clock = testClock()
  const lingering = new Lingering()
  const ended: number[] = []
  const add = (name: number) => lingering.add(clock, () => ended.push(name))
  return { clock, ended, add }
}

describe('Lingering', () => {
  it('ends a socket after a second, once', () => {
    const { clock, ended, add } = setUp()
    const gone = add(1)
    clock.advance(999)
    expect(ended).toEqual([])
    clock.advance(1)
    expect(ended).toEqual([1])
    gone()
    clock.advance(5_000)
    expect(ended).toEqual([1])
  })

  it('leaves alone what is gone', () => {
    const { clock, ended, add } = setUp()
    add(1)()
    expect(clock.pending).toBe(0)
    add(2)
    clock.advance(1_000)
    expect(ended).toEqual([2])
  })

  it('G22 lets a thousand stay, and of more those that came last', () => {
    const { clock, ended, add } = setUp()
    const gone = Array.from({ length: 1_000 }, (_, i) => add(i))
    expect(ended).toEqual([])
    add(1_000)
    add(1_001)
    expect(ended).toEqual([0, 1])
    // What has gone by itself makes room.
    gone[2]?.()
    add(1_002)
    expect(ended).toEqual([0, 1])
    expect(clock.pending).toBe(1_000)
    clock.advance(1_000)
    expect(ended).toHaveLength(1_002)
    expect(clock.pending).toBe(0)
  })
})
