import type { Follower } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import type { LogOptions } from '../../../../src/stores/remote/log-server.js'
import { Mending } from '../../../../src/stores/remote/mending.js'
import { testClock } from '../../../support/clock.js'

const minute = 60_000
const noFollower: Follower = { maxStaleness: minute, onEntry() {}, entries: () => [] }

describe('Mending', () => {
  it('I85 compares what is still to be there, however much was read that is over', async () => {
    const clock = testClock()
    const compared: string[][] = []
    const server = {
      async missing(ids: string[]) {
        compared.push(ids)
        return { missing: ids.filter((id) => id === 'taken out'), time: clock.now() }
      },
    }
    const mending = new Mending({ clock, server } as unknown as LogOptions, noFollower)
    const pass = () => {
      clock.advance(minute)
      return mending.isDamaged(clock.now())
    }
    for (let round = 0; round < 40; round += 1) {
      for (let i = 0; i < 600; i += 1) mending.read(`${round} ${i}`, { text: '', end: clock.now() + 1 })
      expect(await pass()).toBe(false)
    }
    mending.read('there', { text: '', end: clock.now() + 10 * minute })
    expect(await pass()).toBe(false)
    mending.read('taken out', { text: '', end: clock.now() + 10 * minute })
    // Page by page, and then from the first on.
    expect([await pass(), await pass(), await pass()]).toContain(true)
    expect(compared.flat().filter((id) => id.includes(' ') && id !== 'taken out')).toEqual([])
    expect(compared.flat()).toContain('there')
  })
})
