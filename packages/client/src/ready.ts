/** A promise that starts over. Its rejection is nobody's fault when nobody awaits it. */
export class Ready {
  promise!: Promise<void>
  /** Resolves the promise, or rejects it with `error`. */
  settle!: (error?: Error) => void
  #settled = true

  constructor() {
    this.renew()
  }

  /** Starts over; whoever waits already goes on waiting. */
  renew(): void {
    if (!this.#settled) return
    this.#settled = false
    this.promise = new Promise((resolve, reject) => {
      this.settle = (error) => {
        this.#settled = true
        error ? reject(error) : resolve()
      }
    })
    this.promise.catch(() => {})
  }
}
