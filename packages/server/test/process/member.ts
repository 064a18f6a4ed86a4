// One process of several on a machine: a cluster store, and what a test asks of it by messages.
import type { Store } from '@sallyport/server'
import { clusterStore } from '@sallyport/server/cluster'

/** What a member is asked: a call of the store, to follow the log, or what has come of it. */
export type Asked =
  | { readonly call: Exclude<keyof Store, 'follow'>; readonly args: readonly unknown[] }
  | { readonly follow: readonly string[] }
  | { readonly entries: true }

const store = clusterStore({ folder: process.argv[2] ?? '' })
const entries: string[] = []
let isCurrent = () => false

async function answerTo(asked: Asked): Promise<unknown> {
  if ('call' in asked) {
    const call = store[asked.call] as (...args: readonly unknown[]) => unknown
    return call(...asked.args)
  }
  if ('follow' in asked) {
    const following = store.follow({
      maxStaleness: 60_000,
      onEntry: (entry) => void entries.push(entry),
      entries: () => asked.follow.map((entry) => [entry, 60_000] as const),
    })
    isCurrent = () => following.currentAt !== undefined
    return 'following'
  }
  return isCurrent() ? entries : []
}

process.on('message', (asked: Asked) => {
  answerTo(asked).then(
    (answer) => process.send?.({ answer }),
    (error: Error) => process.send?.({ error: `${error.name}: ${error.message}` }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
