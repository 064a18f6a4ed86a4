import { CredentialError } from '../credentials/credential.js'
import type { Lifecycle } from '../live.js'
import { now } from '../now.js'
import { unreachable } from '../outcome.js'
import { type Presence, pagePresence } from './presence.js'
import { createQuiet } from './quiet.js'
import { type Change, watch } from './watch.js'

/** Options of {@link lifecycle}. */
export interface LifecycleOptions {
  /** Where to learn it. Default `pagePresence()`; in React Native `appPresence(AppState)`. */
  readonly presence?: Presence
  /** How long a hidden application goes on reconnecting. Default 5 minutes: then browsers slow its timers down as well. */
  readonly hiddenMs?: number
  /**
   * An application that did not run for so long was asleep. Default 2 minutes: the timers of a hidden page may be a minute
   * late.
   */
  readonly asleepMs?: number
  /**
   * How long a connection may be quiet while the application is in front: then the server is asked over HTTP whether the
   * network still carries an answer. Default 1 minute; `Infinity`: never.
   */
  readonly quietMs?: number
  /** What asks. Default the runtime's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch
}

/** Many applications may come back at once, with their network: they dial within this time. */
const returnSpreadMs = 1_000

/**
 * Heeds the network, sleep and the background: the option `lifecycle`.
 *
 * - It does not dial while the application is offline, and does not reconnect while it is hidden for long. A new socket or
 *   a `reset()` while offline is a failed attempt at once, of kind `network`, and asks for no credential.
 * - When the application is back, in front, online or awake, an attempt that waits comes within a second. That skips one
 *   delay, never what `Retry-After` says, and the next delay grows as if nothing had been skipped.
 * - A browser cannot ask whether a connection still lives. So one that the application slept through or that went through
 *   an offline time is given up and made anew. One that was merely hidden is kept.
 * - A network that died is noticed: where nothing was heard for a minute, by an HTTP request to the socket's own address
 *   without its query, to which any answer will do. Without one in time the connection is given up.
 * - A renewal looks at its deadline again: a credential that ended meanwhile makes the socket reconnect as `expired`.
 */
export function lifecycle({
  presence = pagePresence(),
  hiddenMs = 300_000,
  asleepMs = 120_000,
  quietMs = 60_000,
  fetch = globalThis.fetch,
}: LifecycleOptions = {}): Lifecycle {
  return (timing) => {
    const { clock, random } = timing
    const quiet = createQuiet(timing, quietMs, fetch)
    let hiddenSince: number | undefined

    function observe(onLook: (change: Change) => void): () => void {
      noteHidden()
      return watch(presence, clock, asleepMs, (change) => {
        noteHidden()
        onLook(change)
      })
    }

    function noteHidden(): void {
      hiddenSince = presence.visible ? undefined : (hiddenSince ?? now(clock))
    }

    function isAway(): boolean {
      noteHidden()
      return !presence.online || (hiddenSince !== undefined && now(clock) - hiddenSince >= hiddenMs)
    }

    return {
      after(ms, dial, { retryAfter = 0 }) {
        const since = now(clock)
        let at = since + ms
        let cancelTimer = () => {}
        const stop = observe(({ back }) => {
          const time = now(clock)
          const soon = time + random() * returnSpreadMs
          // An attempt that is overdue was held back, like those of everybody else who comes back now.
          if (back) at = Math.max(since + retryAfter * 1000, at > time ? Math.min(at, soon) : soon)
          arm()
        })

        function arm(): void {
          cancelTimer()
          cancelTimer = clock.after(Math.max(0, at - now(clock)), attempt)
        }

        // While it is away the attempt waits for the next look.
        function attempt(): void {
          if (isAway()) return
          cancel()
          dial()
        }

        function cancel(): void {
          cancelTimer()
          stop()
        }

        arm()
        return cancel
      },
      before() {
        if (!presence.online) throw new CredentialError('Offline')
      },
      attend(live) {
        const askIfQuiet = quiet.attend(live)
        const stop = observe(({ back, cutOff }) => {
          if (back) live.onwake?.()
          if (cutOff) live.end(unreachable(false))
          else if (presence.visible && presence.online) askIfQuiet()
        })
        live.signal.addEventListener('abort', stop)
      },
    }
  }
}
