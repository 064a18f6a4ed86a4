import { inTime } from '../in-time.js'
import type { Live, Timing } from '../live.js'
import { now } from '../now.js'
import { unreachable } from '../outcome.js'

/** Looks after connections on which nothing is heard. */
export interface Quiet {
  /** Listens on a connection. The returned function is called now and then: it asks when it was quiet for long. */
  attend(live: Live): () => void
}

/**
 * The pings of a server are not shown to a page, and a network that died says nothing. So a connection that was quiet for
 * `quietMs` is looked at in another way: the server is asked over HTTP, at the socket's own address, and any answer will do.
 * With none in time the connection is given up.
 *
 * A page may be forbidden to ask, by its content security policy for one. So no answer counts only once there was one.
 */
export function createQuiet({ clock, timeoutMs }: Timing, quietMs: number, fetch: typeof globalThis.fetch): Quiet {
  let hasAnswered = false

  return {
    attend({ socket, signal, end }) {
      let heardAt = now(clock)
      let asks = false
      const heard = () => {
        heardAt = now(clock)
      }
      socket.addEventListener('message', heard)
      // `ws` shows them.
      socket.on?.('ping', heard)

      async function ask(url: string): Promise<void> {
        asks = true
        const before = heardAt
        const asked = inTime(clock, timeoutMs, signal, (inner) => fetch(url, { ...anyAnswer, signal: inner }))
        const answer = await asked.catch(() => undefined)
        asks = false
        if (answer) {
          hasAnswered = true
          heard()
        } else if (hasAnswered && heardAt === before) end(unreachable(false))
      }

      return () => {
        const isQuiet = now(clock) - heardAt >= quietMs
        if (isQuiet && !asks && socket.url) void ask(socket.url.replace(/^ws/, 'http').replace(/\?.*/, ''))
      }
    },
  }
}

/** Without a credential, and without a right to read what comes, which another origin would have to give. */
const anyAnswer: RequestInit = { mode: 'no-cors', credentials: 'omit', cache: 'no-store' }
