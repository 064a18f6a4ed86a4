import type { Clock } from '../support/clock.js'

/** How long a peer has to read why it was ended, and to answer, in milliseconds. */
export const grace = 1_000

const maxLingering = 1_000

/**
 * Sockets that were refused, and stay for a moment so that their peers can read why. They have left their places among the
 * undecided. When there are too many of them, the one that has stayed longest goes at once.
 */
export class Lingering {
  readonly #ends = new Set<() => void>()

  /** Lets a socket stay, until `end` ends it. The returned function tells that it is gone. */
  add(clock: Clock, end: () => void): () => void {
    const [oldest] = this.#ends
    if (this.#ends.size >= maxLingering) oldest?.()
    const cancel = clock.after(grace, () => leave())
    const leave = () => {
      gone()
      end()
    }
    const gone = () => {
      cancel()
      this.#ends.delete(leave)
    }
    this.#ends.add(leave)
    return gone
  }
}
