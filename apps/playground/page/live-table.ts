import type { Account } from './account.js'
import * as api from './api.js'
import { find } from './dom.js'
import { type LiveConnection, Row, type RowActions } from './row.js'
import { clockFace } from './time.js'

/** What `GET /connections` sends on every change. */
export interface Snapshot {
  /** The server's clock, in milliseconds. */
  readonly now: number
  /** All of them. */
  readonly connections: readonly LiveConnection[]
  /** The one that the guard has just ended, where that is the change. */
  readonly ended?: { readonly row: number; readonly close: number }
}

/** How long a row stays after its end, in milliseconds: long enough to read why. */
const farewell = 8_000

/** The table of live connections. */
export class LiveTable {
  readonly #account: Account
  readonly #table = find<HTMLTableElement>(document, '#connections')
  readonly #message = find(document, '#inside-message')
  readonly #rows = new Map<number, Row>()
  #stream: EventSource | undefined
  /** Whose own connections the stream tells. */
  #user: string | undefined
  /** How far the server's clock is ahead of our monotonic one: the two wall clocks need not agree. */
  #ahead = 0

  constructor(account: Account) {
    this.#account = account
    account.onChange(() => {
      if (account.current?.user !== this.#user) this.#watch()
    })
    this.#watch()
    setInterval(() => {
      for (const row of this.#rows.values()) row.tick(this.#now())
    }, 1000)
  }

  #now(): number {
    return performance.now() + this.#ahead
  }

  #watch(): void {
    this.#stream?.close()
    this.#user = this.#account.current?.user
    this.#stream = new EventSource('/connections')
    this.#stream.addEventListener('message', ({ data }: MessageEvent<string>) => this.#show(JSON.parse(data)))
    // It comes again by itself. Until then nobody knows who is inside.
    this.#stream.addEventListener('error', () => {
      for (const [key, row] of this.#rows) this.#remove(key, row)
      this.#message.textContent = 'The playground does not answer.'
    })
    this.#stream.addEventListener('open', () => {
      this.#message.textContent = ''
    })
  }

  #show({ now, connections, ended }: Snapshot): void {
    this.#ahead = now - performance.now()
    if (ended) this.#end(ended.row, ended.close)
    for (const connection of connections) this.#rowOf(connection).update(connection, now)
    const live = new Set(connections.map(({ row }) => row))
    for (const [key, row] of this.#rows) if (!live.has(key)) this.#remove(key, row)
    this.#toggle()
  }

  #rowOf(connection: LiveConnection): Row {
    const known = this.#rows.get(connection.row)
    if (known) return known
    const row = new Row(connection, this.#actions)
    this.#rows.set(connection.row, row)
    this.#table.append(row.element)
    return row
  }

  #end(key: number, close: number): void {
    const row = this.#rows.get(key)
    if (!row) return
    // From now on its number may be another's: those of a server that has just started.
    this.#rows.delete(key)
    this.#keepFocus(row)
    row.end(close)
    setTimeout(() => this.#remove(key, row), farewell)
  }

  #remove(key: number, row: Row): void {
    if (this.#rows.get(key) === row) this.#rows.delete(key)
    this.#keepFocus(row)
    row.element.remove()
    this.#toggle()
  }

  /** The buttons of a row go with it, and the focus must not go with them. */
  #keepFocus({ element }: Row): void {
    if (element.contains(document.activeElement)) find<HTMLElement>(document, '#inside-title').focus()
  }

  #toggle(): void {
    const isEmpty = this.#table.tBodies.length === 0
    this.#table.hidden = isEmpty
    find<HTMLElement>(document, '#nobody').hidden = !isEmpty
  }

  readonly #actions: RowActions = {
    renew: (id) =>
      this.#attempt(async (user) => {
        const { token } = await api.login(user)
        const { expiresIn } = await api.renew(id, token)
        return `Renewed with a new token: ${clockFace(expiresIn)} from now.`
      }),
    revoke: (id) =>
      this.#attempt(async () => {
        await api.revoke(id)
        return 'Revoked that connection. Its credential is still good.'
      }),
  }

  #attempt(action: (user: string) => Promise<string>): void {
    const signedIn = this.#account.require()
    if (!signedIn) return
    this.#message.textContent = ''
    action(signedIn.user)
      .catch((error) => (error instanceof Error ? error.message : String(error)))
      .then((outcome) => {
        this.#message.textContent = outcome
      })
  }
}
