import type { Breaker } from '../remote/breaker.js'
import { awakeFor, type LogServer, type Look, type Looking, type Positions } from '../remote/log-server.js'
import type { Connections, Lent, Row } from './connections.js'
import type { Statements } from './statements.js'

const sweepEvery = 60_000

/** What the log is built on. */
export interface PostgresLogOptions {
  readonly statements: Statements
  readonly connections: Connections
  readonly breaker: Breaker
  /** Runs a statement in time. */
  readonly run: (text: string, values: unknown[]) => Promise<readonly Row[]>
  readonly channel: string
  readonly now: () => number
}

/** An entry on its way. */
interface Waiting {
  readonly entry: Buffer
  readonly ttl: number
  readonly resolve: (id: string) => void
  readonly reject: (error: unknown) => void
}

/**
 * The log as a table, in which the numbers of the entries go up as they can be seen. The nodes look by a connection of their
 * own, on which PostgreSQL wakes them: so they hear of a revocation also when the pool is exhausted.
 */
export class PostgresLog implements LogServer {
  readonly #options: PostgresLogOptions
  readonly #nodes = new Set<string>()
  #own: Promise<Lent> | undefined
  #wake = () => {}
  #waiting: Waiting[] = []
  #isAppending = false
  #sweepAt: number
  // Only a bound: who is woken does not wait for it. Where nobody is, as behind PgBouncer, it is what a revocation takes.
  readonly lookEvery = 500
  readonly start = '0'

  constructor(options: PostgresLogOptions) {
    this.#options = options
    this.#sweepAt = options.now() + sweepEvery
  }

  subscribe(wake: () => void): void {
    this.#wake = wake
  }

  append(entry: string, ttl: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry: Buffer.from(entry), ttl, resolve, reject })
      if (!this.#isAppending) void this.#appendAll()
    })
  }

  isBefore(one: string, other: string): boolean {
    return Number(one) < Number(other)
  }

  async missing(ids: readonly string[]) {
    const { statements, run } = this.#options
    const [row] = await run(statements.missing, [ids])
    const { missing, now } = row as { readonly missing: string[]; readonly now: number }
    return { missing, time: now }
  }

  async look({ node, position, heard, countsFor, page }: Looking): Promise<Look> {
    const { statements, breaker } = this.#options
    this.#nodes.add(node)
    this.#sweep()
    const rows = await breaker.probe(async () =>
      (await this.#connection()).query(statements.look, [node, position, heard, countsFor, page]),
    )
    const of = (kind: string) =>
      rows.filter((row) => row.kind === kind).map(({ id, sealed }) => [String(id), String(sealed)] as const)
    const { now, born } = rows.find(({ kind }) => kind === 'told') as { readonly now: number; readonly born: string }
    return { time: now, primary: born, entries: of('entry'), questions: of('question') }
  }

  inTime<T>(reply: Promise<T>): Promise<T> {
    return this.#options.breaker.inTime(reply)
  }

  async ask(question: string, ttl: number): Promise<string> {
    const { statements, run } = this.#options
    const [row] = await run(statements.ask, [Buffer.from(question), ttl])
    this.#wakeAll()
    return String(row?.last)
  }

  async answer(name: string, answer: string, ttl: number): Promise<void> {
    const { statements, run } = this.#options
    await run(statements.answer, [name, Buffer.from(answer), ttl])
  }

  async positions(name: string): Promise<Positions> {
    const { statements, run } = this.#options
    const rows = await run(statements.positions, [name, awakeFor])
    const nodes = rows.filter(({ kind }) => kind === 'node')
    return {
      log: nodes.map(({ position }) => String(position)),
      questions: nodes.filter((node) => node.is_awake).map(({ heard }) => String(heard)),
      answers: rows.filter(({ kind }) => kind === 'answer').map(({ sealed }) => String(sealed)),
    }
  }

  async leave(node: string): Promise<void> {
    const { statements, run } = this.#options
    this.#nodes.delete(node)
    if (this.#nodes.size === 0) {
      const own = this.#own
      this.#own = undefined
      own?.then(
        (lent) => lent.close(),
        () => {},
      )
    }
    await run(statements.leave, [node])
  }

  /** The connection of the nodes, opened when it is needed. */
  async #connection(): Promise<Lent> {
    this.#own ??= this.#open()
    const own = this.#own
    try {
      const lent = await own
      if (lent.isOurs) return lent
    } catch (error) {
      this.#drop(own)
      throw error
    }
    this.#drop(own)
    return this.#connection()
  }

  /** Opens another the next time, unless somebody who had the same has done so. */
  #drop(own: Promise<Lent>): void {
    if (this.#own === own) this.#own = undefined
  }

  async #open(): Promise<Lent> {
    const { connections, statements } = this.#options
    const lent = await connections.borrow(() => this.#wake())
    await lent.query(statements.listen, [])
    return lent
  }

  /** What comes while a statement is under way goes together in the next: each waits for the disk. */
  async #appendAll(): Promise<void> {
    const { statements, run } = this.#options
    this.#isAppending = true
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0)
      try {
        const entries = together.map(({ entry }) => entry)
        const [row] = await run(statements.append, [entries, together.map(({ ttl }) => ttl)])
        for (const [i, { resolve }] of together.entries()) resolve(`${Number(row?.last) - together.length + i + 1}`)
      } catch (error) {
        for (const { reject } of together) reject(error)
      }
      this.#wakeAll()
    }
    this.#isAppending = false
  }

  /** Wakes all nodes; if it does not come to them, they look by themselves. */
  #wakeAll(): void {
    const { statements, run, channel } = this.#options
    run(statements.wake, [channel]).catch(() => {})
  }

  #sweep(): void {
    const { statements, run, now } = this.#options
    if (now() < this.#sweepAt) return
    this.#sweepAt = now() + sweepEvery
    run(statements.sweep, []).catch(() => {})
  }
}
