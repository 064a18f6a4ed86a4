import type { Clock } from '../clock.js'
import { now } from '../now.js'
import type { Presence } from './presence.js'

/** How often it looks whether it slept. */
const lookMs = 30_000

/** What is different since the last look. */
export interface Change {
  /** The application is back: in front again, online again, or awake again. */
  readonly back: boolean
  /** It slept or was offline, so that a connection cannot have lived on. */
  readonly cutOff: boolean
}

/**
 * Calls `onLook` whenever the platform resumes or the presence changes, and every half minute; the returned function ends
 * that. Whoever did not look for `asleepMs` has slept.
 */
export function watch(
  presence: Presence,
  clock: Clock,
  asleepMs: number,
  onLook: (change: Change) => void,
): () => void {
  let { online, visible } = presence
  let lookedAt = now(clock)
  let stopped = false
  let cancelTimer = clock.after(lookMs, look)
  const unsubscribe = presence.subscribe(look)

  function look(): void {
    // React Native still calls a listener that one before it has just removed.
    if (stopped) return
    cancelTimer()
    cancelTimer = clock.after(lookMs, look)
    const time = now(clock)
    const cutOff = time - lookedAt >= asleepMs || (presence.online && !online)
    const back = cutOff || (presence.visible && !visible)
    ;({ online, visible } = presence)
    lookedAt = time
    onLook({ back, cutOff })
  }

  return () => {
    stopped = true
    cancelTimer()
    unsubscribe()
  }
}
