import { checkedFunction } from './checked-kind.js'

/** Those who want to be told of something. What they throw is dropped: watching must not change what happens. */
export class Listeners<E> {
  readonly #listeners = new Set<(event: E) => unknown>()

  /** Adds a listener; the returned function takes it away. */
  subscribe(listener: (event: E) => unknown): () => void {
    checkedFunction('subscribe', 'listener', listener, 'a function')
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether anybody listens. */
  get areHeard(): boolean {
    return this.#listeners.size > 0
  }

  emit(event: E): void {
    for (const listener of this.#listeners) {
      try {
        const done: unknown = listener(event)
        if (done instanceof Promise) done.catch(() => {})
      } catch {}
    }
  }
}
