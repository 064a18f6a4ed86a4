import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '@sallyport/server'

/** A login. */
export interface Session {
  /** The `sid` of its tokens: names the session, opens nothing. */
  readonly id: string
  readonly user: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const hash = (cookie: string) => createHash('sha256').update(cookie).digest('base64url')

/** The live logins by the hash of their cookie. */
export class Sessions {
  readonly #byCookie = new Map<string, Session>()

  constructor(readonly clock: Clock) {}

  /**
   * Opens a session for `ms` milliseconds, or, where `cookie` already belongs to a live one of the same user, lets that
   * one live at least as long. Returns it with its cookie.
   */
  open(user: string, ms: number, cookie?: string): { session: Session; cookie: string } {
    this.#sweep()
    const expiresAt = this.clock.now() + ms
    const current = cookie === undefined ? undefined : this.find(cookie)
    if (cookie !== undefined && current?.user === user) {
      return this.#keep(cookie, { ...current, expiresAt: Math.max(current.expiresAt, expiresAt) })
    }
    return this.#keep(randomBytes(32).toString('base64url'), { id: randomUUID(), user, expiresAt })
  }

  /** The live session of this cookie. */
  find(cookie: string): Session | undefined {
    const session = this.#byCookie.get(hash(cookie))
    return session && session.expiresAt > this.clock.now() ? session : undefined
  }

  /** Ends the session of this cookie and returns it. */
  end(cookie: string): Session | undefined {
    const session = this.find(cookie)
    this.#byCookie.delete(hash(cookie))
    return session
  }

  #keep(cookie: string, session: Session) {
    this.#byCookie.set(hash(cookie), session)
    return { session, cookie }
  }

  #sweep(): void {
    for (const [key, { expiresAt }] of this.#byCookie) {
      if (expiresAt <= this.clock.now()) this.#byCookie.delete(key)
    }
  }
}
