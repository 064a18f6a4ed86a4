import type { Clock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import { hash } from '../../support/hash.js'

/** As much of a pool of `pg` as the store uses. */
export interface PostgresPool {
  /** Lends a connection. */
  connect(): Promise<PostgresClient>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** As much of a connection of `pg` as the store uses. */
export interface PostgresClient {
  query(statement: PostgresStatement): Promise<{ readonly rows: readonly unknown[] }>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'notification', listener: (message: { readonly channel: string }) => void): unknown
  /** Gives the connection back; `true`: closes it. */
  release(destroy?: boolean): void
}

/** A statement, as `pg` takes it. One that has a name is read and planned once on each connection. */
export interface PostgresStatement {
  readonly name?: string
  readonly text: string
  readonly values: unknown[]
}

/** A row of a result, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>

// So long a statement may take before its connection is closed: the other end may be gone without a word.
const deadAfter = 2_000

/** Whether connections keep the statements that were prepared on them. */
export class Prepared {
  #areKept = true

  /** A statement that is prepared, unless that is lost. */
  statement(text: string, values: unknown[]): PostgresStatement {
    return this.#areKept && values.length > 0 ? { name: nameOf(text), text, values } : { text, values }
  }

  /**
   * Whether a statement failed, and did nothing, because what was prepared is on another connection: a pooler in between
   * lends one for each transaction. Then none is prepared any more.
   */
  isLost(error: unknown): boolean {
    const isLost = ['26000', '42P05'].includes(stateOf(error) ?? '')
    if (isLost) this.#areKept = false
    return isLost
  }
}

const names = new Map<string, string>()

/** One for each text, also where several stores share a pool. */
function nameOf(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = `sallyport-${hash(text)}`
    names.set(text, name)
  }
  return name
}

/** A connection that is ours until it is given back. */
export class Lent {
  readonly #client: PostgresClient
  readonly #prepared: Prepared
  readonly #clock: Clock
  #isOurs = true

  constructor(client: PostgresClient, prepared: Prepared, clock: Clock) {
    this.#client = client
    this.#prepared = prepared
    this.#clock = clock
  }

  /** Whether it can still be asked. */
  get isOurs(): boolean {
    return this.#isOurs
  }

  /** Asks, and closes the connection when there is no answer in time, or it breaks. */
  async query(text: string, values: unknown[]): Promise<readonly Row[]> {
    const cancel = this.#clock.after(deadAfter, () => this.close())
    try {
      for (;;) {
        try {
          return (await this.#client.query(this.#prepared.statement(text, values))).rows as readonly Row[]
        } catch (error) {
          // Of those who race for a row one always wins, so that it takes as many tries as there are others.
          if (!this.#isOurs || !(isLostRace(error) || this.#prepared.isLost(error))) throw error
        }
      }
    } catch (error) {
      this.close()
      throw error
    } finally {
      cancel()
    }
  }

  /** Gives it back, for others to use. */
  giveBack(): void {
    this.#release(false)
  }

  close(): void {
    this.#release(true)
  }

  #release(destroy: boolean): void {
    if (!this.#isOurs) return
    this.#isOurs = false
    this.#client.release(destroy)
  }
}

/** The connections of a pool. */
export class Connections {
  readonly #pool: PostgresPool
  readonly #prepared = new Prepared()
  readonly #clock: Clock

  constructor(pool: PostgresPool, clock: Clock) {
    this.#pool = pool
    this.#clock = clock
    hear(pool)
  }

  /** Borrows a connection; `onNotification` hears what comes on it as long as it lives. */
  async borrow(onNotification?: () => void): Promise<Lent> {
    const client = await this.#pool.connect()
    hear(client)
    if (onNotification) client.on('notification', onNotification)
    return new Lent(client, this.#prepared, this.#clock)
  }

  /** Runs a statement on any connection; not when there was none to be had for `within` milliseconds. */
  async query(text: string, values: unknown[], within: number): Promise<readonly Row[]> {
    const end = this.#clock.now() + within
    const lent = await this.borrow()
    try {
      // Nobody waits for it any more.
      if (this.#clock.now() >= end) throw new UnavailableError('PostgreSQL has no free connection')
      return await lent.query(text, values)
    } finally {
      lent.giveBack()
    }
  }
}

const heard = new WeakSet<PostgresPool | PostgresClient>()

/** Hears that a connection breaks: an error that nobody hears ends the process. Whoever asks is told anyway. */
function hear(emitter: PostgresPool | PostgresClient): void {
  if (heard.has(emitter)) return
  heard.add(emitter)
  emitter.on('error', () => {})
}

/** Whether nothing was done, because another transaction did something at the same time. */
function isLostRace(error: unknown): boolean {
  return ['40001', '40P01'].includes(stateOf(error) ?? '')
}

/** The SQLSTATE that the server answered; `undefined` when it was not the server that spoke. */
function stateOf(error: unknown): string | undefined {
  const { severity, code } = error as { readonly severity?: unknown; readonly code?: unknown }
  return severity !== undefined && typeof code === 'string' ? code : undefined
}

// Its words would hold what was asked.
const advice: Readonly<Record<string, string>> = {
  '25006': ': it is a replica, or read-only',
  '3F000': ': there are no tables; run postgresSchema()',
  '42P01': ': there are no tables; run postgresSchema()',
  '42501': ': the role may not use the tables',
  '57014': ': a statement took longer than statement_timeout',
}

/** What a client threw, by the kind of fault only: the errors of clients carry what was asked. */
export function unavailable(error: unknown): UnavailableError {
  const state = stateOf(error)
  if (state !== undefined) return new UnavailableError(`PostgreSQL answered ${state}${advice[state] ?? ''}`)
  const { name, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error('')
  return new UnavailableError(`PostgreSQL is out of reach: ${code ?? name}`)
}
