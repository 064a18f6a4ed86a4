import type { Clock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import { within } from '../../support/within.js'

// So many, and each may wait for its deadline: what is more would only wait in line.
const maxPending = 10_000

/** Commands to a server with a deadline of their own, which are refused at once while it is silent. */
export class Breaker {
  readonly #server: string
  readonly #clock: Clock
  readonly #timeout: number
  readonly #toUnavailable: (error: unknown) => UnavailableError
  #pending = 0
  /** Whether a command has missed its deadline, and nothing has been heard since. */
  #isSilent = false

  /**
   * `server`: its name in errors; `timeout`: milliseconds from a command to its reply; `toUnavailable`: says what a client
   * threw, without what it was asked.
   */
  constructor(server: string, clock: Clock, timeout: number, toUnavailable: (error: unknown) => UnavailableError) {
    this.#server = server
    this.#clock = clock
    this.#timeout = timeout
    this.#toUnavailable = toUnavailable
  }

  /** Sends a command; refused at once while the server is silent. */
  run<T>(send: () => Promise<T>): Promise<T> {
    if (this.#isSilent || this.#pending >= maxPending)
      return Promise.reject(new UnavailableError(`${this.#server} does not answer`))
    return this.inTime(this.probe(send))
  }

  /** Sends a command also while the server is silent, to hear of it again. Without a deadline: see {@link inTime}. */
  async probe<T>(send: () => Promise<T>): Promise<T> {
    this.#pending += 1
    try {
      return await send()
    } catch (error) {
      throw error instanceof UnavailableError ? error : this.#toUnavailable(error)
    } finally {
      this.#pending -= 1
      this.#isSilent = false
    }
  }

  /** Waits for a reply as long as a reply may take. */
  inTime<T>(reply: Promise<T>): Promise<T> {
    return within(reply, this.#timeout, this.#clock, () => {
      this.#isSilent = true
      return new UnavailableError(`${this.#server} took longer than ${this.#timeout} ms`)
    })
  }
}
