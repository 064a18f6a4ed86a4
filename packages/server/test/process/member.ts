// One process of several on a machine: a cluster store, and what a test asks of it by messages.
import type { Following, Store } from '@sallyport/server'
import { clusterStore } from '@sallyport/server/cluster'

/** What a member is asked: a call of the store, to follow the log, what has come of it, or to leave, and end by itself. */
export type Asked =
  | { readonly call: Exclude<keyof Store, 'follow'>; readonly args: readonly unknown[] }
  | { readonly follow: readonly string[] }
  | { readonly entries: true }
  | { readonly leave: true }

const store = clusterStore({ folder: process.argv[2] ?? '' })
const entries: string[] = []
let following: Following | undefined

const exit = () => process.exit()

async function answerTo(asked: Asked): Promise<unknown> {
  if ('call' in asked) {
    const call = store[asked.call] as (...args: readonly unknown[]) => unknown
    return call(...asked.args)
  }
  if ('follow' in asked) {
    following = store.follow({
      maxStaleness: 60_000,
      onEntry: (entry) => void entries.push(entry),
      entries: () => asked.follow.map((entry) => [entry, 60_000] as const),
    })
    return 'following'
  }
  if ('leave' in asked) {
    await following?.stop()
    // Nothing of the test keeps it alive.
    process.off('disconnect', exit)
    setImmediate(() => process.disconnect())
    return 'left'
  }
  return following?.currentAt === undefined ? [] : entries
}

process.on('message', (asked: Asked) => {
  answerTo(asked).then(
    (answer) => process.send?.({ answer }),
    (error: Error) => process.send?.({ error: `${error.name}: ${error.message}` }),
  )
})
process.on('disconnect', exit)
process.send?.('ready')
