import type { LocksLike } from '@sallyport/client'

/** The Web Locks of one origin, and everything that was ever said to them. */
export class FakeLocks {
  readonly said: unknown[] = []
  readonly #holders = new Map<string, symbol>()
  readonly #waiting: { tab: symbol; name: string; grant: () => void }[] = []

  /** A tab: its view of the locks, and its end. */
  tab(): { locks: LocksLike; crash: () => void } {
    const tab = Symbol('tab')
    let crashed = false
    const request = async <T>(
      name: string,
      options: { ifAvailable?: boolean; signal?: AbortSignal },
      callback: (lock: unknown) => Promise<T>,
    ): Promise<T> => {
      this.said.push([name, { ...options }])
      if (this.#holders.has(name)) {
        if (options.ifAvailable) return callback(null)
        await new Promise<void>((grant, reject) => {
          const waiting = { tab, name, grant }
          this.#waiting.push(waiting)
          options.signal?.addEventListener('abort', () => {
            this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
            reject(new DOMException('Aborted', 'AbortError'))
          })
        })
      }
      this.#holders.set(name, tab)
      const result = await callback({ name })
      this.said.push(result)
      // Nothing of a tab that crashed runs on.
      if (crashed) return new Promise<T>(() => {})
      this.#release(name)
      return result
    }
    const crash = () => {
      crashed = true
      for (const waiting of this.#waiting.filter((one) => one.tab === tab)) {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      }
      for (const [name, holder] of this.#holders) if (holder === tab) this.#release(name)
    }
    return { locks: { request }, crash }
  }

  #release(name: string): void {
    this.#holders.delete(name)
    const index = this.#waiting.findIndex((one) => one.name === name)
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (!next) return
    this.#holders.set(name, next.tab)
    next.grant()
  }
}
