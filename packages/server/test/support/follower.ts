import type { Follower, Following, Store } from '@sallyport/server'

/** Somebody who follows the log of a store, and writes down what comes. */
export interface TestFollower {
  readonly following: Following
  /** What has come, in order. */
  readonly entries: readonly string[]
  /** What others have asked it, in order. */
  readonly questions: readonly string[]
  /** How often it was asked what the log must hold. */
  readonly asked: number
  /** Resolves when that entry has come. */
  has(entry: string): Promise<void>
  /** Resolves when it has every entry. */
  current(): Promise<void>
  /** Resolves after the next look of the store. */
  nextLook(): Promise<void>
  stop(): Promise<void>
}

/** `known`: what the log must hold, for a minute where nothing else is said. */
export function followerOf(
  store: Store,
  known: readonly (string | readonly [entry: string, ttl: number])[] = [],
  maxStaleness = 60_000,
  onQuestion: Follower['onQuestion'] = () => undefined,
): TestFollower {
  const entries: string[] = []
  const questions: string[] = []
  const looked = new Set<() => void>()
  let asked = 0
  const following = store.follow({
    maxStaleness,
    onQuestion: (question) => {
      questions.push(question)
      return onQuestion(question)
    },
    onEntry: (entry) => {
      entries.push(entry)
    },
    entries: () => {
      asked += 1
      return known.map((entry) => (typeof entry === 'string' ? ([entry, 60_000] as const) : entry))
    },
    onLook: () => {
      for (const wake of looked) wake()
    },
  })
  /** Looks again after each look of the store, until it is so. */
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo()) return
        looked.delete(look)
        resolve()
      }
      looked.add(look)
      look()
    })
  return {
    following,
    entries,
    questions,
    get asked() {
      return asked
    },
    has: (entry) => until(() => entries.includes(entry)),
    current: () => until(() => following.currentAt !== undefined),
    nextLook() {
      let isNext = false
      const look = until(() => isNext)
      isNext = true
      return look
    },
    stop: () => following.stop(),
  }
}
