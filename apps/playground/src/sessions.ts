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
    const current = this.find(cookie)
    if (cookie !== undefined && current?.user === user) {
      return this.#keep(cookie, { ...current, expiresAt: Math.max(current.expiresAt, expiresAt) })
    }
    return this.#keep(randomBytes(32).toString('base64url'), { id: randomUUID(), user, expiresAt })
  }

  /** The live session of this cookie. */
  find(cookie: string | undefined): Session | undefined {
    const session = cookie === undefined ? undefined : this.#byCookie.get(hash(cookie))
    return session && session.expiresAt > this.clock.now() ? session : undefined
  }

  /** Ends the session of this cookie and returns it. */
  end(cookie: string | undefined): Session | undefined {
    const session = this.find(cookie)
    if (cookie !== undefined) this.#byCookie.delete(hash(cookie))
    return session
  }

  /** Ends every session of this user. */
  endAll(user: string): void {
    this.#deleteIf((session) => session.user === user)
  }

  #keep(cookie: string, session: Session) {
    this.#byCookie.set(hash(cookie), session)
    return { session, cookie }
  }

  #sweep(): void {
    this.#deleteIf(({ expiresAt }) => expiresAt <= this.clock.now())
  }

  #deleteIf(isOver: (session: Session) => boolean): void {
    for (const [key, session] of this.#byCookie) if (isOver(session)) this.#byCookie.delete(key)
  }
}
