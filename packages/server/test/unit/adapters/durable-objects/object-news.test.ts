import { expect, it } from 'vitest'
import { ObjectNews } from '../../../../src/adapters/durable-objects/object-news.js'
import type { ObjectStorage } from '../../../../src/support/cloudflare.js'
import { guardOfObject } from '../../../support/guard-of-object.js'

it('I86 an object whom the log could not be told of looks again, and one that is told of news does not', async () => {
  const kept = new Map<string, unknown>()
  const storage = { kv: { get: (key: string) => kept.get(key), put: kept.set.bind(kept) } } as unknown as ObjectStorage
  const binding = () => (news.holds ? 'ROOM' : undefined)
  const { clock, guard, log } = guardOfObject({
    id: 'a',
    get binding() {
      return binding()
    },
  })
  const news = new ObjectNews(guard, storage)
  expect(await news.ask()).toBe(true)
  log.answers = false
  await news.follow()
  clock.advance(3_600_000)
  log.answers = true
  expect(await news.ask()).toBe(true)
  clock.advance(3_600_000)
  log.answers = false
  expect(await news.ask()).toBe(true)
})
