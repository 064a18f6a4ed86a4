import { whyClosed } from './closes.js'
import { copy, element, find } from './dom.js'
import { clockFace } from './time.js'

/** A live connection, as `GET /connections` tells it. Times are the server's, in milliseconds. */
export interface LiveConnection {
  /** Tells the connections apart. */
  readonly row: number
  /** Only one's own connections have one. */
  readonly id?: string
  readonly user: string
  readonly method: string
  readonly since: number
  /** Absent: the credential has no end. */
  readonly expiresAt?: number
}

/** What one can do to one's own connections, by their id. */
export interface RowActions {
  readonly renew: (id: string) => void
  readonly revoke: (id: string) => void
}

/** A connection in the table. */
export class Row {
  readonly element = copy<HTMLElement>('connection')
  readonly #ends = find(this.element, '.ends')
  readonly #actions = find<HTMLElement>(this.element, '.actions')
  #connection: LiveConnection

  constructor(connection: LiveConnection, actions: RowActions) {
    this.#connection = connection
    const by = connection.method === 'message' ? 'first message' : connection.method
    const since = new Date(connection.since).toLocaleTimeString([], { hour12: false })
    find(this.element, '.who').textContent = connection.user
    find(this.element, '.by').textContent = by
    find(this.element, '.since').textContent = since
    for (const action of ['renew', 'revoke'] as const) {
      const button = find<HTMLButtonElement>(this.#actions, `[data-do=${action}]`)
      button.ariaLabel = `${button.textContent}: ${by} since ${since}`
      button.addEventListener('click', () => {
        const { id } = this.#connection
        if (id !== undefined) actions[action](id)
      })
    }
  }

  /** Shows what is new. `now` is the server's time. */
  update(connection: LiveConnection, now: number): void {
    this.#connection = connection
    this.#actions.hidden = connection.id === undefined
    this.tick(now)
  }

  /** Counts down. */
  tick(now: number): void {
    const { expiresAt } = this.#connection
    this.#ends.textContent = expiresAt === undefined ? 'never' : clockFace((expiresAt - now) / 1000)
  }

  /** Shows what the server said at the end, in the place of the actions. */
  end(close: number): void {
    this.#ends.textContent = 'ended'
    const why = whyClosed(close)
    const words = element('td', `Close ${close}${why === undefined ? '' : `: ${why}`}`, 'closed')
    words.colSpan = 4
    this.#actions.replaceChildren(words)
    this.#actions.hidden = false
  }
}
