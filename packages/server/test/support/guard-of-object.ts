import { createGuard, header, rejected } from '@sallyport/server'
import { testClock } from '@sallyport/server/testing'
import { type ObjectFollower, storeFor } from '../../src/stores/objects/object-store.js'
import type { StoreCalls } from '../../src/stores/objects/store-object.js'
import type { ObjectNamespace } from '../../src/support/cloudflare.js'

/** A guard whose log has nothing new, or does not answer. */
export function guardOfObject(object?: ObjectFollower) {
  const clock = testClock()
  const log = { answers: true }
  const stub = {
    async look() {
      if (!log.answers) throw new Error('out of order')
      return { entries: [], questions: [], heard: 0, now: clock.now() }
    },
    async leave() {},
  } as unknown as StoreCalls
  const namespace: ObjectNamespace<StoreCalls> = {
    idFromName: (name) => name,
    idFromString: (id) => id,
    get: () => stub,
  }
  const store = storeFor(namespace, { clock }, object)
  let stop = async () => {}
  const guard = createGuard({
    clock,
    accept: [header({ verify: () => rejected('credential-unknown') })],
    life: { maxStaleness: 60_000 },
    store: {
      ...store,
      follow(follower) {
        const following = store.follow(follower)
        stop = () => following.stop()
        return following
      },
    },
  })
  // Which is a look.
  return { clock, guard, log, look: () => guard.ready(), health: () => guard.health.store, stop: () => stop() }
}
