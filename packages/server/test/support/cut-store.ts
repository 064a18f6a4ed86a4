import { type Clock, type Follower, memoryStore, type Store, UnavailableError } from '@sallyport/server'

/** A node's way to a store, which a test cuts and mends. The follower looks when it is told to. */
export interface CutStore {
  readonly store: Store
  /** Whether operations reach the store; the others reject. */
  answers: boolean
  /** Whether a look brings what was appended. */
  follows: boolean
  /** Lets the follower look. */
  look(): void
}

/** `uncertainty`: how far the store's time is known, in milliseconds either way. */
export function cutStore(clock: Clock, shared: Store = memoryStore({ clock }), uncertainty = 0): CutStore {
  const missed: string[] = []
  let follower: Follower | undefined
  let currentAt: number | undefined
  const cut = <A extends unknown[], R>(ask: (...args: A) => R | Promise<R>) => {
    return async (...args: A) => {
      if (!way.answers) throw new UnavailableError('the store is cut off')
      return ask(...args)
    }
  }
  const deliver = () => {
    if (way.follows) for (const entry of missed.splice(0)) follower?.onEntry(entry)
  }
  const way: CutStore = {
    answers: true,
    follows: true,
    look() {
      deliver()
      if (way.follows) currentAt = clock.now()
      follower?.onLook?.()
    },
    store: {
      put: cut(shared.put),
      take: cut(shared.take),
      count: cut(shared.count),
      acquire: cut(shared.acquire),
      release: cut(shared.release),
      append: cut(shared.append),
      follow(itsFollower) {
        follower = itsFollower
        const following = shared.follow({
          ...itsFollower,
          onEntry(entry) {
            missed.push(entry)
            deliver()
          },
        })
        return {
          get currentAt() {
            return currentAt
          },
          get time() {
            const { earliest, latest } = following.time
            return { earliest: earliest - uncertainty, latest: latest + uncertainty }
          },
          ask: cut(following.ask),
          stop: () => following.stop(),
        }
      },
    },
  }
  return way
}
