// A page with one socket, whose time passes when it is told to. Bundled as `pulse`.
import { type Clock, cookie, GuardedSocket, lifecycle, type Presence } from '@sallyport/client'

let time = 0
const timers = new Set<{ readonly at: number; readonly callback: () => void }>()
const clock: Clock = {
  now: () => time,
  after(ms, callback) {
    const timer = { at: time + ms, callback }
    timers.add(timer)
    return () => timers.delete(timer)
  },
}

/** In front, whatever other tabs do. */
const presence: Presence = { online: true, visible: true, subscribe: () => () => {} }

const answers: Promise<unknown>[] = []
const lost: string[] = []
let socket: GuardedSocket

const ask: typeof fetch = (...args) => {
  const answer = fetch(...args)
  answers.push(answer)
  return answer
}

const message = () => new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }))

/** Comes in, and has heard the greeting. */
export async function open(url: string): Promise<void> {
  socket = new GuardedSocket(url, {
    credential: cookie(),
    lifecycle: lifecycle({ presence, fetch: ask }),
    clock,
    random: () => 1,
  })
  socket.addEventListener('reconnecting', ({ outcome }) => lost.push(outcome.kind))
  await message()
}

/** Lets so much time pass, and fires what falls due on the way. */
export async function pass(ms: number): Promise<void> {
  const end = time + ms
  for (;;) {
    const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
    if (!next) break
    timers.delete(next)
    time = next.at
    next.callback()
    await new Promise((resolve) => setTimeout(resolve))
  }
  time = end
}

/** Waits for the answer to what it asked last. */
export async function answered(): Promise<void> {
  await answers.at(-1)
}

export const state = () => ({ asked: answers.length, readyState: socket.readyState, lost })

/** Waits until it is in again. */
export const back = async (): Promise<void> => socket.ready
