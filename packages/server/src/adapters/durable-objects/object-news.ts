import { liveConnections } from '../../connections/of-guard.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import type { ObjectStorage } from '../../support/cloudflare.js'
import { keyPrefix } from './object-attachment.js'

const holdsKey = `${keyPrefix}holds`

/** How an object hears of revocations: it looks when it wakes, and the log tells it of news while it holds connections. */
export class ObjectNews<I extends Identity> {
  readonly #guard: Guard<I>
  readonly #storage: ObjectStorage
  #look: Promise<void> | undefined
  /** Whether the log tells this object of news. */
  #isTold = false
  /** Done when the log has heard that it need not be told any more. */
  #leaving: Promise<void> | undefined

  constructor(guard: Guard<I>, storage: ObjectStorage) {
    this.#guard = guard
    this.#storage = storage
  }

  /** Whether it holds connections, as far as is known without a look at each socket. */
  get holds(): boolean {
    return this.#storage.kv.get(holdsKey) === true
  }

  /** Before anything is decided: whether what is revoked is known. Whoever asks later is never answered earlier. */
  async look(isNew = false): Promise<boolean> {
    const guard = this.#guard
    if (!this.#look || isNew || guard.health.store !== 'current') this.#look = this.#lookBehind(this.#look)
    await this.#look
    return guard.health.store !== 'unavailable'
  }

  async #lookBehind(before: Promise<void> | undefined): Promise<void> {
    await Promise.all([before, liveConnections(this.#guard).log.look()])
  }

  /** The same before a handshake. Whom the log does not tell of news asks for them. */
  ask(): Promise<boolean> {
    return this.look(!this.#isTold)
  }

  /** Is told from now on; what was revoked meanwhile comes by a look. */
  async follow(): Promise<void> {
    if (this.#isTold) return
    this.#storage.kv.put(holdsKey, true)
    // Else it might be told, and then no longer.
    await this.#leaving
    await this.look(true)
    this.#isTold = true
  }

  /** Need not be told any more. */
  async leave(): Promise<void> {
    this.#isTold = false
    this.#storage.kv.delete(holdsKey)
    this.#leaving = liveConnections(this.#guard).log.stop()
    await this.#leaving
  }
}
