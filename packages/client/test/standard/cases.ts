// What the standard (https://websockets.spec.whatwg.org) asks of a WebSocket: one file a subject.
import type { Case, Place } from './case.js'
import { closing } from './closing.js'
import { events } from './events.js'
import { making } from './making.js'
import { messages } from './messages.js'

export const cases: readonly Case[] = [...making, ...events, ...messages, ...closing]

/** Runs in the page: the name of each case, with what is wrong. */
export async function runAll(place: Place): Promise<[name: string, wrong: string | null][]> {
  const results: [string, string | null][] = []
  for (const { name, run } of cases) {
    const inTime = new Promise<never>((_, reject) => setTimeout(reject, 5_000, new Error('nothing came')))
    const wrong = await Promise.race([Promise.resolve(place).then(run), inTime]).then(() => null, String)
    results.push([name, wrong])
  }
  return results
}
