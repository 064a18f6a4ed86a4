import type { Clock } from '../support/clock.js'

/** What a drain needs to know of the live connections. */
export interface Drainable<C> {
  readonly size: number
  values(): Iterable<C>
}

const steps = 20

/** The going down of a node: it closes its connections little by little, and waits until the last socket is gone. */
export class Drain {
  readonly #clock: Clock
  /** Sockets that are not closed yet, those among them whose connection is over. */
  #sockets = 0
  readonly #onLastClosed: (() => void)[] = []
  #hasBegun = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Counts a socket. */
  opened(): void {
    this.#sockets += 1
  }

  /** Counts it no more. */
  closed(): void {
    this.#sockets -= 1
    if (this.#sockets === 0) for (const resolve of this.#onLastClosed.splice(0)) resolve()
  }

  /** Ends all connections, spread over `within` milliseconds, and those that come. Resolves when no socket is left. */
  async run<C>(connections: Drainable<C>, within: number, end: (connection: C) => void): Promise<void> {
    this.#hasBegun = true
    for (let left = steps; connections.size > 0; left -= 1) {
      const some = [...connections.values()].slice(0, Math.ceil(connections.size / left))
      for (const connection of some) end(connection)
      if (connections.size > 0) await new Promise<void>((resolve) => this.#clock.after(within / steps, resolve))
    }
    if (this.#sockets > 0) await new Promise<void>((resolve) => this.#onLastClosed.push(resolve))
  }
}
