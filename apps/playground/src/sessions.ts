import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '@sallyport/server'
import type { Session, SessionStore } from './session-stores.js'

const hash = (cookie: string) => createHash('sha256').update(cookie).digest('base64url')

/** The live logins by the hash of their cookie. */
export class Sessions {
  readonly #store: SessionStore

  constructor(
    readonly clock: Clock,
    store: SessionStore,
  ) {
    this.#store = store
  }

  /**
   * Opens a session for `ms` milliseconds, or, where `cookie` already belongs to a live one of the same user, lets that
   * one live at least as long. Returns it with its cookie.
   */
  async open(user: string, ms: number, cookie?: string): Promise<{ session: Session; cookie: string }> {
    const expiresAt = this.clock.now() + ms
    const current = await this.find(cookie)
    if (cookie !== undefined && current?.user === user) {
      return this.#keep(cookie, { ...current, expiresAt: Math.max(current.expiresAt, expiresAt) })
    }
    return this.#keep(randomBytes(32).toString('base64url'), { id: randomUUID(), user, expiresAt })
  }

  /** The live session of this cookie. */
  async find(cookie: string | undefined): Promise<Session | undefined> {
    return cookie === undefined ? undefined : this.#store.get(hash(cookie))
  }

  /** Ends the session of this cookie and returns it. */
  async end(cookie: string | undefined): Promise<Session | undefined> {
    const session = await this.find(cookie)
    if (cookie !== undefined) await this.#store.delete(hash(cookie))
    return session
  }

  /** Ends every session of this user. */
  endAll(user: string): Promise<void> {
    return this.#store.deleteAll(user)
  }

  async #keep(cookie: string, session: Session) {
    await this.#store.set(hash(cookie), session)
    return { session, cookie }
  }
}
