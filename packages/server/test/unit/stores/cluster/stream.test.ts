import { expect, it } from 'vitest'
import { Stream } from '../../../../src/stores/cluster/stream.js'

it('I87 a stream of the cluster forgets what is over, and not what its followers stand on', () => {
  let time = 0
  const stream = new Stream(() => time)
  const long = stream.append('long', 10_000)
  let last = long
  for (let i = 0; i < 200; i++) {
    const next = stream.append('short', 10)
    expect(stream.has(last)).toBe(true)
    last = next
    time += 10
  }
  expect(stream.has(long)).toBe(true)
  expect(stream.from('0', 200).length).toBeLessThan(100)
})
