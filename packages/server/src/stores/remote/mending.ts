import type { Follower } from '../store.js'
import { appendTo, type LogOptions } from './log-server.js'
import type { Opened } from './seal.js'

const page = 512
// How often a page of what was read is compared with what is still there.
const compareEvery = 60_000

/** Gives back to the log what it has lost and a node still knows. */
export class Mending {
  readonly #options: LogOptions
  readonly #follower: Follower
  /** The entries that are in the log, while all of it is read to see what it has lost. */
  #present: Set<string> | undefined = new Set()
  /** What is to be appended again, with its end in milliseconds since the epoch. */
  #lost: (readonly [entry: string, end: number])[] | undefined
  /** What was read and is to be there until its end. */
  #read: { readonly id: string; readonly end: number }[] = []
  /** How many of them were compared in this round. */
  #compared = 0
  #compareAt: number

  constructor(options: LogOptions, follower: Follower) {
    this.#options = options
    this.#follower = follower
    this.#compareAt = options.clock.now() + compareEvery
  }

  /** The log is read from its first entry on. */
  begin(): void {
    this.#present = new Set()
    this.#lost = undefined
    this.#read = []
    this.#compared = 0
  }

  /** Takes note of an entry. */
  read(id: string, { text, end }: Opened): void {
    this.#present?.add(text)
    this.#read.push({ id, end })
  }

  /**
   * Appends again some of what is missing, now that all of the log was read. Whether there was any: the other nodes do the
   * same, so that the next look shows what is left. Each begins elsewhere, or all would append the same.
   */
  async restore(): Promise<boolean> {
    const { random, time } = this.#options
    const present = this.#present
    if (!present) return false
    const { latest: now } = time.now
    if (!this.#lost) {
      const known = Array.from(this.#follower.entries(), ([entry, ttl]) => [entry, now + ttl] as const)
      const first = Buffer.from(random(4)).readUInt32LE() % Math.max(1, known.length)
      this.#lost = [...known.slice(first), ...known.slice(0, first)]
    }
    // What is over would never be there.
    this.#lost = this.#lost.filter(([entry, end]) => end > now && !present.has(entry))
    await Promise.all(this.#lost.slice(0, page).map(([entry, end]) => appendTo(this.#options, entry, end - now)))
    if (this.#lost.length > 0) return true
    this.#present = undefined
    this.#lost = undefined
    return false
  }

  /** Whether an entry is gone before its end. Asked at every look; each minute it compares the next page of them. */
  async isDamaged(now: number): Promise<boolean> {
    const { server, clock } = this.#options
    if (clock.now() < this.#compareAt) return false
    this.#compareAt = clock.now() + compareEvery
    const isLive = ({ end }: { readonly end: number }) => end > now
    this.#compared = this.#read.slice(0, this.#compared).filter(isLive).length
    this.#read = this.#read.filter(isLive)
    if (this.#compared >= this.#read.length) this.#compared = 0
    const compared = this.#read.slice(this.#compared, this.#compared + page)
    this.#compared += page
    if (compared.length === 0) return false
    const ids = compared.map(({ id }) => id)
    const { missing, time } = await server.missing(ids)
    return compared.some(({ id, end }) => end > time && missing.includes(id))
  }
}
