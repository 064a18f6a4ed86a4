import { describe, expect, it } from 'vitest'
import type { ObjectFollower } from '../../../../src/stores/objects/object-store.js'
import { guardOfObject } from '../../../support/guard-of-object.js'

const hour = 3_600_000

describe('who follows the log of an object', () => {
  it.each<[string, ObjectFollower | undefined]>([
    ['in a Worker', undefined],
    ['in an object that holds nobody', { id: 'a', binding: undefined }],
  ])('I86 knows %s what was there when it last looked, however late a look fails', async (_, object) => {
    const { clock, log, look, health } = guardOfObject(object)
    await look()
    expect(health()).toBe('current')
    clock.advance(hour)
    log.answers = false
    await look()
    expect(health()).toBe('unavailable')
    log.answers = true
    await look()
    expect(health()).toBe('current')
    clock.advance(59_999)
    expect(health()).toBe('stale')
    log.answers = false
    await look()
    expect(health()).toBe('stale')
    clock.advance(1)
    expect(health()).toBe('unavailable')
  })

  it('I86 knows what is there now while it is told of news, until a look fails', async () => {
    const { clock, log, look, health } = guardOfObject({ id: 'a', binding: 'ROOM' })
    await look()
    clock.advance(hour)
    expect(health()).toBe('current')
    log.answers = false
    await look()
    clock.advance(59_999)
    expect(health()).toBe('stale')
    clock.advance(1)
    expect(health()).toBe('unavailable')
  })

  it('I86 is told of news only when the log has heard that it holds somebody, and as long as it does', async () => {
    const object = { id: 'a', binding: undefined as string | undefined }
    const { clock, log, look, health, stop } = guardOfObject(object)
    await look()
    object.binding = 'ROOM'
    log.answers = false
    await look()
    clock.advance(hour)
    expect(health()).toBe('unavailable')
    log.answers = true
    await look()
    clock.advance(hour)
    expect(health()).toBe('current')
    await stop()
    expect(health()).toBe('unavailable')
  })
})
