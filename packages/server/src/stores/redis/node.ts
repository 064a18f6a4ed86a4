import { newId } from '../../support/id.js'
import type { Follower, Following } from '../store.js'
import { answersKey, type LogOptions, questionTtl } from './entries.js'
import { Mending } from './mending.js'
import * as scripts from './scripts.js'

// How often a node looks: an entry is on every node within that and a round trip.
const lookEvery = 100
const page = 512
const start = '0-0'

/** One who follows the log. */
export class Node implements Following {
  readonly #options: LogOptions
  readonly #follower: Follower
  readonly #onStop: () => void
  readonly #mending: Mending
  readonly id: string
  readonly ask: Following['ask']
  #position = start
  /** Its position in what the nodes ask each other. */
  #heard = start
  #primary: string | undefined
  /** A look that nobody has answered yet: there is no use in a second one behind it. */
  #unanswered: Promise<Look> | undefined
  #wake = () => {}
  #isStopped = false
  #hasWarned = false
  readonly #done: Promise<void>
  currentAt: number | undefined

  constructor(options: LogOptions, follower: Follower, { ask, onStop }: NodeLinks) {
    this.#options = options
    this.#follower = follower
    this.#onStop = onStop
    this.ask = ask
    this.id = newId(options.random)
    this.#mending = new Mending(options, follower)
    this.#done = this.#run()
  }

  get time() {
    return this.#options.time.now
  }

  /** Looks at once. */
  wake(): void {
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#done
    this.#onStop()
    const { commands, keys } = this.#options
    await commands.run(keys[1], ['HDEL', keys[1], this.id]).catch(() => {})
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    while (!this.#isStopped) {
      const isBehind = await this.#look().catch(() => false)
      this.#follower.onLook?.()
      // What has come is confirmed by the next look.
      if (isBehind || this.#isStopped) continue
      await new Promise<void>((resolve) => {
        const cancel = clock.after(lookEvery, resolve)
        this.#wake = () => {
          cancel()
          resolve()
        }
      })
    }
  }

  /** Whether there was something. */
  async #look(): Promise<boolean> {
    const { commands, time, onPrimary } = this.#options
    this.#unanswered ??= this.#ask().finally(() => {
      this.#unanswered = undefined
    })
    const look = await commands.inTime(this.#unanswered)
    const { sent, primary, entries, questions } = look
    if (primary !== this.#primary) await onPrimary(primary)
    time.told(look.time, sent, look.received)
    const follows = this.#position === start || entries[0]?.[0] === this.#position
    const isAnother = this.#primary !== undefined && (primary !== this.#primary || !follows)
    this.#primary = primary
    await Promise.all(questions.map((question) => this.#hear(question, look.time)))
    // A failover, a restart or somebody's hand may have taken something out.
    if (isAnother) return this.#readAgain()
    const news = this.#position === start ? entries : entries.slice(1)
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
    this.#position = start
    this.#heard = start
    this.#mending.begin()
    return true
  }

  async #ask(): Promise<Look> {
    const { commands, clock, keys } = this.#options
    const sent = clock.now()
    const reply = await commands.probe(scripts.look, keys, [
      this.id,
      this.#position,
      this.#heard,
      Math.ceil(this.#follower.maxStaleness),
      page,
    ])
    const [time, primary, entries, questions] = reply as [number, string, StreamEntry[], StreamEntry[]]
    const textOf = ([id, fields]: StreamEntry) => [id, fields[1] ?? ''] as const
    return {
      sent,
      received: clock.now(),
      time: Number(time),
      primary,
      entries: entries.map(textOf),
      questions: questions.map(textOf),
    }
  }

  /** Hears a question, and answers before the next look says so. */
  async #hear([id, sealed]: readonly [id: string, text: string], now: number): Promise<void> {
    const { commands, seal, keys } = this.#options
    this.#heard = id
    const opened = seal.open(keys[2], sealed)
    if (!opened || opened.end <= now) return
    const [, name = '', asker, question = ''] = /^(\S+) (\S+) (.*)$/s.exec(opened.text) ?? []
    if (asker === this.id) return
    const answer = this.#follower.onQuestion?.(question)
    if (answer === undefined) return
    const key = answersKey(keys[2], name)
    // What is not said in time is as if nobody had answered.
    await commands.eval(scripts.count, [key], [seal.close(key, answer, opened.end), questionTtl]).catch(() => {})
  }

  #take(id: string, sealed: string, now: number): void {
    const { seal, keys } = this.#options
    const opened = seal.open(keys[0], sealed)
    if (opened === undefined) {
      if (!this.#hasWarned) {
        process.emitWarning('redisStore: the log has an entry that was not written with our secret; it is passed over')
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

type StreamEntry = [id: string, fields: string[]]

/** How a node is bound to the log. */
export interface NodeLinks {
  readonly ask: Following['ask']
  readonly onStop: () => void
}

/** What a look into the log has shown. */
interface Look {
  readonly sent: number
  readonly received: number
  readonly time: number
  readonly primary: string
  readonly entries: readonly (readonly [id: string, text: string])[]
  readonly questions: readonly (readonly [id: string, text: string])[]
}
