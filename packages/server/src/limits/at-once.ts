/** Bounds what is done at once in the name of each of many. */
export class AtOnce {
  readonly #max: number
  readonly #running = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** Does it; `undefined` when as much is being done for `name` as may be. */
  run<T>(name: string, act: () => Promise<T>): Promise<T> | undefined {
    const running = this.#running.get(name) ?? 0
    if (running >= this.#max) return undefined
    this.#running.set(name, running + 1)
    return act().finally(() => this.#done(name))
  }

  #done(name: string): void {
    const left = this.#running.get(name)! - 1
    if (left === 0) this.#running.delete(name)
    else this.#running.set(name, left)
  }
}
