import { newId } from '../../support/id.js'
import type { Follower, Following } from '../store.js'
import { answersTo, type LogOptions, type Look, questionTtl, type Written } from './log-server.js'
import { Mending } from './mending.js'

const page = 512

/** One who follows the log. */
export class Node implements Following {
  readonly #options: LogOptions
  readonly #follower: Follower
  readonly #onStop: () => void
  readonly #mending: Mending
  readonly id: string
  readonly ask: Following['ask']
  #position: string
  /** Its position in what the nodes ask each other. */
  #heard: string
  #primary: string | undefined
  /** A look that nobody has answered yet: there is no use in a second one behind it. */
  #unanswered: Promise<TimedLook> | undefined
  #wake = () => {}
  /** Whether there are news since the last look began. */
  #hasNews = false
  #isStopped = false
  #hasWarned = false
  readonly #done: Promise<void>
  currentAt: number | undefined

  constructor(options: LogOptions, follower: Follower, { ask, onStop }: NodeLinks) {
    this.#options = options
    this.#follower = follower
    this.#onStop = onStop
    this.#position = options.server.start
    this.#heard = options.server.start
    this.ask = ask
    this.id = newId(options.random)
    this.#mending = new Mending(options, follower)
    this.#done = this.#run()
  }

  get time() {
    return this.#options.time.now
  }

  /** Looks at once, unless it does. */
  wake(): void {
    this.#wake()
  }

  /** Looks at once, and again if it does: there is something that this look may not have seen. */
  onNews(): void {
    this.#hasNews = true
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#done
    this.#onStop()
    await this.#options.server.leave(this.id).catch(() => {})
  }

  async #run(): Promise<void> {
    const { clock, server } = this.#options
    while (!this.#isStopped) {
      this.#hasNews = false
      const isBehind = await this.#look().catch(() => false)
      this.#follower.onLook?.()
      // What has come is confirmed by the next look.
      if (isBehind || this.#hasNews || this.#isStopped) continue
      await new Promise<void>((resolve) => {
        const cancel = clock.after(server.lookEvery, resolve)
        this.#wake = () => {
          cancel()
          resolve()
        }
      })
    }
  }

  /** Whether there was something. */
  async #look(): Promise<boolean> {
    const { server, time, onPrimary } = this.#options
    this.#unanswered ??= this.#ask().finally(() => {
      this.#unanswered = undefined
    })
    const look = await server.inTime(this.#unanswered)
    const { sent, primary, entries, questions } = look
    if (primary !== this.#primary) await onPrimary(primary)
    time.told(look.time, sent, look.received)
    const follows = this.#position === server.start || entries[0]?.[0] === this.#position
    const isAnother = this.#primary !== undefined && (primary !== this.#primary || !follows)
    this.#primary = primary
    await Promise.all(questions.map((question) => this.#hear(question, look.time)))
    // A failover, a restart or somebody's hand may have taken something out.
    if (isAnother) return this.#readAgain()
    const news = this.#position === server.start ? entries : entries.slice(1)
    for (const [id, text] of news) {
      this.#position = id
      this.#take(id, text, look.time)
    }
    if (entries.length === page || questions.length === page) return true
    if (await this.#mending.restore()) return true
    this.currentAt = sent
    if (await this.#mending.isDamaged(look.time)) return this.#readAgain()
    return news.length + questions.length > 0
  }

  /** Begins with the first entry again, to see what the log has lost. */
  #readAgain(): true {
    this.#position = this.#options.server.start
    this.#heard = this.#options.server.start
    this.#mending.begin()
    return true
  }

  async #ask(): Promise<TimedLook> {
    const { server, clock } = this.#options
    const sent = clock.now()
    const look = await server.look({
      node: this.id,
      position: this.#position,
      heard: this.#heard,
      countsFor: Math.ceil(this.#follower.maxStaleness),
      page,
    })
    return { ...look, sent, received: clock.now() }
  }

  /** Hears a question, and answers before the next look says so. */
  async #hear([id, sealed]: Written, now: number): Promise<void> {
    const { server, seal, keyOf } = this.#options
    this.#heard = id
    const opened = seal.open(keyOf('questions'), sealed)
    if (!opened || opened.end <= now) return
    const [, name = '', asker, question = ''] = /^(\S+) (\S+) (.*)$/s.exec(opened.text) ?? []
    if (asker === this.id) return
    const answer = this.#follower.onQuestion?.(question)
    if (answer === undefined) return
    const closed = seal.close(keyOf(answersTo(name)), answer, opened.end)
    // What is not said in time is as if nobody had answered.
    await server.answer(name, closed, questionTtl).catch(() => {})
  }

  #take(id: string, sealed: string, now: number): void {
    const { name, seal, keyOf } = this.#options
    const opened = seal.open(keyOf('log'), sealed)
    if (opened === undefined) {
      if (!this.#hasWarned) {
        process.emitWarning(`${name}: the log has an entry that was not written with our secret; it is passed over`)
      }
      this.#hasWarned = true
      return
    }
    // Whoever writes it again when it is over does not make it last.
    if (opened.end <= now) return
    this.#mending.read(id, opened)
    this.#follower.onEntry(opened.text)
  }
}

/** How a node is bound to the log. */
export interface NodeLinks {
  readonly ask: Following['ask']
  readonly onStop: () => void
}

/** A look, and when, by the node's clock, it was asked for and came. */
interface TimedLook extends Look {
  readonly sent: number
  readonly received: number
}
