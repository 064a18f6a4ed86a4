import type { Store } from '@sallyport/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { storeFor } from '../../../src/stores/objects/object-store.js'
import type { StoreCalls } from '../../../src/stores/objects/store-object.js'
import type { ObjectNamespace } from '../../../src/support/cloudflare.js'
import { storeContract } from '../../contract/store.js'
import { followerOf } from '../../support/follower.js'
import { startWorkerd, type Workerd } from '../../support/workerd.js'

let workerd: Workerd

beforeAll(async () => {
  workerd = await startWorkerd(new URL('store-worker.ts', import.meta.url), { STORE: 'TestStore' })
})
afterAll(() => workerd.stop())

/** The objects in workerd, as a Worker would see them; those of each `place` are its own. */
const objectsOf = (place: string): ObjectNamespace<StoreCalls> => ({
  idFromName: (name) => name,
  idFromString: (id) => id,
  get: (id) =>
    new Proxy({} as StoreCalls, {
      get:
        (_, method) =>
        (...args: unknown[]) =>
          call({ name: `${place} ${id}`, method, args }),
    }),
})

async function call(command: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${workerd.port}`, {
    method: 'POST',
    body: JSON.stringify(command, finite),
  })
  return ((await response.json()) as { answer?: unknown }).answer
}

/** Follows as a Worker does whose connections live: it looks again and again. */
function looking(store: Store): Store {
  return {
    ...store,
    follow(follower) {
      const following = store.follow(follower)
      const timer = setInterval(() => void following.look?.(), 50)
      return {
        ask: (question, most) => following.ask(question, most),
        get currentAt() {
          return following.currentAt
        },
        get time() {
          return following.time
        },
        async stop() {
          clearInterval(timer)
          await following.stop()
        },
      }
    },
  }
}

/** JSON knows no infinity, and the calls of objects do. */
const finite = (_: string, value: unknown) => (value === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : value)

let places = 0

storeContract('objectStore', () => ({
  store: looking(storeFor(objectsOf(`place ${++places}`), { timeout: 5_000 })),
  async advance(ms) {
    await fetch(`http://127.0.0.1:${workerd.port}/advance?ms=${ms}`)
  },
}))

it('I88 a long log comes in pages, each of which is here in time, and is known when the last has come', async () => {
  const objects = objectsOf(`place ${++places}`)
  const pages: number[] = []
  const watched: ObjectNamespace<StoreCalls> = {
    ...objects,
    get(id) {
      const stub = objects.get(id)
      const look: StoreCalls['look'] = async (asked) => {
        const looked = await stub.look(asked)
        pages.push(looked.entries.length)
        return looked
      }
      return { look } as StoreCalls
    },
  }
  const many = Array.from({ length: 1_100 }, (_, i) => `${i}`)
  const log = objects.get('log')
  for (const entry of many) await log.append(entry, 60_000)
  const follower = followerOf(storeFor(watched, { timeout: 5_000 }))
  await follower.following.look?.()
  expect(pages).toEqual([512, 512, 76, 0])
  expect(follower.entries).toEqual(many)
})
