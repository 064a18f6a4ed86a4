import type { Written } from '../remote/log-server.js'

const leastSize = 64

/** Texts in the order in which they came, under numbers that go up, each until its end. */
export class Stream {
  readonly #now: () => number
  #entries: { readonly id: number; readonly text: string; readonly end: number }[] = []
  #lastId = 0
  #sweepAt = leastSize

  constructor(now: () => number) {
    this.#now = now
  }

  /** Keeps a text for `ttl` milliseconds. Its number. */
  append(text: string, ttl: number): string {
    if (this.#entries.length >= this.#sweepAt) {
      // Who follows stands on the last, and takes it for lost when it is gone.
      this.#entries = this.#entries.filter(({ id, end }) => id === this.#lastId || end > this.#now())
      this.#sweepAt = Math.max(leastSize, this.#entries.length * 2)
    }
    this.#lastId += 1
    this.#entries.push({ id: this.#lastId, text, end: this.#now() + ttl })
    return String(this.#lastId)
  }

  /** From a number on, itself included, so many at most. Who follows is near the end: it is looked for from there. */
  from(id: string, most: number): Written[] {
    let first = this.#entries.length
    while (first > 0 && Number(this.#entries[first - 1]?.id) >= Number(id)) first -= 1
    return this.#entries.slice(first, first + most).map(({ id, text }) => [String(id), text])
  }

  has(id: string): boolean {
    const [first] = this.from(id, 1)
    return first?.[0] === id
  }
}
