import type { ObjectNamespace, ObjectStorage } from '../../support/cloudflare.js'
import type { Appended } from '../store.js'

/** A look of a follower. */
export interface Look {
  readonly follower: string
  /** The binding of its namespace, where it is an object that may sleep, and holds connections. */
  readonly binding?: string | undefined
  /** The last entry that it has; 0: none. */
  readonly position: number
  /** The last question that it has heard; absent when it is new. */
  readonly heard?: number | undefined
  /** What it says to questions of before. */
  readonly answers: readonly (readonly [question: number, answer: string])[]
}

/** What is new to it. */
export interface Looked {
  /** The next of them; none when it has all. */
  readonly entries: readonly (readonly [position: number, entry: string])[]
  readonly questions: readonly (readonly [question: number, text: string])[]
  /** The last question there is. */
  readonly heard: number
  /** The time of the log. */
  readonly now: number
}

/** An object that may sleep, and is told when there is news. */
export interface Sleeper {
  sallyportNews(): Promise<void>
}

interface Row {
  readonly follower: string
  readonly binding: string
  readonly position: number
}

interface Question {
  readonly n: number
  readonly text: string
  readonly by: string
  /** By whom they are: who is not sure that an answer has come gives it again. */
  readonly answers: Map<string, string>
}

// Four looks of those who look every half second. Who has not looked since then looks before it decides again.
const awakeFor = 2_000
const confirmWithin = 1_000
const tellAgain = 1_000
// How many entries a look brings at most: whoever has none yet gets each of these in time, however long the log is.
const page = 512

/**
 * The log of revocations. Those who are awake look into it; an object that may sleep is subscribed, and told until it has
 * looked. How far it has come outlives the log's own sleep.
 */
export class LogTable {
  readonly #storage: ObjectStorage
  readonly #env: Readonly<Record<string, unknown>>
  readonly #now: () => number
  /** Those who look by themselves. */
  readonly #awake = new Map<string, { position: number; heard: number; seenAt: number }>()
  /** What the subscribed have heard. */
  readonly #heard = new Map<string, number>()
  #questions: Question[] = []
  /** The last question. Begins at the time: who has heard those from before this log was forgotten hears the new ones too. */
  #asked: number
  readonly #onLook = new Set<() => void>()

  constructor(storage: ObjectStorage, env: object, now: () => number) {
    this.#storage = storage
    this.#env = env as Readonly<Record<string, unknown>>
    this.#now = now
    this.#asked = now()
    const { sql } = storage
    sql.exec('CREATE TABLE IF NOT EXISTS entries (n INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT, until INTEGER)')
    sql.exec('CREATE TABLE IF NOT EXISTS sleepers (follower TEXT PRIMARY KEY, binding TEXT, position INTEGER)')
  }

  async append(entry: string, ttl: number): Promise<Appended> {
    const { sql } = this.#storage
    const now = this.#now()
    sql.exec('DELETE FROM entries WHERE until <= ?', now)
    sql.exec('INSERT INTO entries (entry, until) VALUES (?, ?)', entry, now + ttl)
    const n = this.#last()
    const told = this.tell()
    const positions = () => [
      ...this.#present().map(({ position }) => position),
      ...this.#rows().map((row) => row.position),
    ]
    const have = () => positions().filter((position) => position >= n).length
    await this.#until(() => have() === positions().length)
    void told
    return { confirmed: have(), followers: positions().length }
  }

  look({ follower, binding, position, heard, answers }: Look): Looked {
    const { sql } = this.#storage
    if (binding !== undefined) this.#subscribe(follower, binding)
    for (const [n, answer] of answers)
      this.#questions.find((question) => question.n === n)?.answers.set(follower, answer)
    const [row] = sql.exec<Row>('SELECT * FROM sleepers WHERE follower = ?', follower).toArray()
    if (!row) this.#awake.set(follower, { position, heard: heard ?? this.#asked, seenAt: this.#now() })
    else this.#heard.set(follower, heard ?? 0)
    if (row && row.position < position)
      sql.exec('UPDATE sleepers SET position = ? WHERE follower = ?', position, follower)
    for (const check of this.#onLook) check()
    const since = heard ?? (row ? 0 : this.#asked)
    const entries = sql.exec<{ n: number; entry: string }>(
      'SELECT n, entry FROM entries WHERE n > ? ORDER BY n LIMIT ?',
      position,
      page,
    )
    return {
      entries: entries.toArray().map(({ n, entry }) => [n, entry] as const),
      questions: this.#questions
        .filter(({ n, by }) => n > since && by !== follower)
        .map(({ n, text }) => [n, text] as const),
      heard: this.#asked,
      now: this.#now(),
    }
  }

  async ask(by: string, text: string, most: number): Promise<readonly string[]> {
    const question: Question = { n: ++this.#asked, text, by, answers: new Map() }
    this.#questions.push(question)
    const others = () => [
      ...[...this.#awake]
        .filter(([follower]) => follower !== by && this.#isPresent(follower))
        .map(([, { heard }]) => heard),
      ...this.#rows().flatMap(({ follower }) => (follower === by ? [] : [this.#heard.get(follower) ?? 0])),
    ]
    void this.tell(by)
    // For as long as anybody may hear it, whoever waits for the answers.
    const over = this.#until(() => others().every((heard) => heard >= question.n)).then(() => {
      this.#questions = this.#questions.filter((each) => each !== question)
    })
    if (most === 0) return []
    await Promise.race([over, this.#until(() => question.answers.size >= most)])
    return [...question.answers.values()]
  }

  #subscribe(follower: string, binding: string): void {
    this.#awake.delete(follower)
    this.#storage.sql.exec('INSERT OR IGNORE INTO sleepers VALUES (?, ?, 0)', follower, binding)
  }

  leave(follower: string): void {
    this.#awake.delete(follower)
    this.#heard.delete(follower)
    this.#storage.sql.exec('DELETE FROM sleepers WHERE follower = ?', follower)
    for (const check of this.#onLook) check()
  }

  /** Tells those who may sleep that there is news, but for `by`; and once more, until each has looked. */
  async tell(by?: string): Promise<void> {
    const isBehind = ({ follower, position }: Row) =>
      position < this.#last() || this.#questions.some(({ n }) => n > (this.#heard.get(follower) ?? 0))
    const behind = this.#rows().filter((row) => row.follower !== by && isBehind(row))
    if (behind.length === 0) return
    // First, so that it is not forgotten whatever happens now.
    await this.#storage.setAlarm(Date.now() + tellAgain)
    await Promise.allSettled(
      behind.map(({ follower, binding }) => {
        const namespace = this.#env[binding] as ObjectNamespace<Sleeper>
        return namespace.get(namespace.idFromString(follower)).sallyportNews()
      }),
    )
  }

  #isPresent(follower: string): boolean {
    return this.#now() - (this.#awake.get(follower)?.seenAt ?? Number.NEGATIVE_INFINITY) < awakeFor
  }

  #present() {
    for (const follower of this.#awake.keys()) if (!this.#isPresent(follower)) this.#awake.delete(follower)
    return [...this.#awake.values()]
  }

  #rows(): Row[] {
    return this.#storage.sql.exec<Row>('SELECT * FROM sleepers').toArray()
  }

  #last(): number {
    const [row] = this.#storage.sql.exec<{ n: number | null }>('SELECT max(n) AS n FROM entries').toArray()
    return row?.n ?? 0
  }

  /** Waits until it is so, a second at most. */
  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#onLook.delete(check)
        resolve()
      }
      const check = () => {
        if (isSo()) done()
      }
      const timer = setTimeout(done, confirmWithin)
      this.#onLook.add(check)
      check()
    })
  }
}
