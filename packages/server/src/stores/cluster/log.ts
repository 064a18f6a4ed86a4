import type { Breaker } from '../remote/breaker.js'
import type { LogServer, Looking } from '../remote/log-server.js'
import type { Channel } from './channel.js'

/** The log in the memory of the holder. */
export class ClusterLog implements LogServer {
  readonly #channel: Channel
  readonly #breaker: Breaker
  readonly #nodes = new Set<string>()
  // Only a bound: the holder wakes all.
  readonly lookEvery = 500
  readonly start = '0'

  constructor(channel: Channel, breaker: Breaker) {
    this.#channel = channel
    this.#breaker = breaker
  }

  subscribe(wake: () => void): void {
    this.#channel.subscribe(wake)
  }

  append(entry: string, ttl: number) {
    return this.#breaker.run(() => this.#channel.call('append', entry, ttl))
  }

  isBefore(one: string, other: string): boolean {
    return Number(one) < Number(other)
  }

  missing(ids: readonly string[]) {
    return this.#breaker.run(() => this.#channel.call('missing', ids))
  }

  look(looking: Looking) {
    this.#nodes.add(looking.node)
    return this.#breaker.probe(() => this.#channel.call('look', looking))
  }

  inTime<T>(reply: Promise<T>): Promise<T> {
    return this.#breaker.inTime(reply)
  }

  ask(question: string, ttl: number) {
    return this.#breaker.run(() => this.#channel.call('ask', question, ttl))
  }

  answer(name: string, answer: string, ttl: number) {
    return this.#breaker.run(() => this.#channel.call('answer', name, answer, ttl))
  }

  positions(name: string) {
    return this.#breaker.run(() => this.#channel.call('positions', name))
  }

  async leave(node: string): Promise<void> {
    try {
      await this.#breaker.run(() => this.#channel.call('leave', node))
    } finally {
      this.#nodes.delete(node)
      // Else the answer of a holder that hangs would keep the process alive.
      if (this.#nodes.size === 0) this.#channel.close()
    }
  }
}
