import { type SessionData, Store } from 'express-session'

/**
 * A store as those of Redis and of PostgreSQL: when a session ends is kept beside what was written, and where nothing in it
 * has changed a use moves only that.
 */
export class TouchStore extends Store {
  readonly #kept = new Map<string, { readonly text: string; readonly until: number }>()

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    const { text, until } = this.#kept.get(id) ?? { text: 'null', until: 0 }
    callback(null, until > Date.now() ? JSON.parse(text) : null)
  }

  override set(id: string, session: SessionData, callback?: () => void): void {
    this.#keep(id, JSON.stringify(session), session)
    callback?.()
  }

  override touch(id: string, session: SessionData, callback?: () => void): void {
    const kept = this.#kept.get(id)
    if (kept) this.#keep(id, kept.text, session)
    callback?.()
  }

  override destroy(id: string, callback?: () => void): void {
    this.#kept.delete(id)
    callback?.()
  }

  #keep(id: string, text: string, { cookie }: SessionData): void {
    this.#kept.set(id, { text, until: cookie.expires?.getTime() ?? Number.POSITIVE_INFINITY })
  }
}
