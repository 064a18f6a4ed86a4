import type { Clock } from '../../support/clock.js'
import { newId } from '../../support/id.js'
import type { Appended, Follower, Following } from '../store.js'
import type { Commands } from './commands.js'
import * as scripts from './scripts.js'
import type { Seal } from './seal.js'

/** What the log is built on. */
export interface LogOptions {
  readonly commands: Commands
  readonly seal: Seal
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  /** The key of the stream, and of the positions of the nodes in it. */
  readonly keys: readonly [stream: string, nodes: string]
  /** Told which primary answers, before anything else of it is believed. Rejects when it must not be used. */
  readonly onPrimary: (primary: string) => Promise<void>
}

// How often a node looks: an entry is on every node within that and a round trip.
const lookEvery = 100
// How long a node counts that has stopped without a word.
const aliveFor = 3_000
const confirmWithin = 1_000
const confirmEvery = 20
const page = 512
const start = '0-0'

/** The log as a stream. Each node looks into it from its own position. */
export class Log {
  readonly #options: LogOptions
  readonly #nodes = new Set<Node>()

  constructor(options: LogOptions) {
    this.#options = options
  }

  follow(follower: Follower): Following {
    const node: Node = new Node(this.#options, follower, () => this.#nodes.delete(node))
    this.#nodes.add(node)
    return node
  }

  async append(entry: string, ttl: number): Promise<Appended> {
    const { commands, seal, clock, keys } = this.#options
    const id = String(await commands.eval(scripts.append, [keys[0]], [seal.close(keys[0], entry), Math.ceil(ttl)]))
    const end = clock.now() + confirmWithin
    for (;;) {
      for (const node of this.#nodes) node.wake()
      const positions = (await commands.eval(scripts.positions, [keys[1]], [])) as string[]
      const confirmed = positions.filter((position) => !isBefore(position, id)).length
      if (confirmed === positions.length || clock.now() >= end) return { confirmed, followers: positions.length }
      await new Promise<void>((resolve) => clock.after(confirmEvery, resolve))
    }
  }
}

/** One who follows the log. */
class Node implements Following {
  readonly #options: LogOptions
  readonly #follower: Follower
  readonly #onStop: () => void
  readonly #id: string
  #position = start
  #primary: string | undefined
  /** The entries that are in the log, while all of it is read again to see what it has lost. */
  #present: Set<string> | undefined = new Set()
  /** What is to be appended again. */
  #lost: (readonly [entry: string, ttl: number])[] | undefined
  /** A look that nobody has answered yet: there is no use in a second one behind it. */
  #unanswered: Promise<Look> | undefined
  #offset = { earliest: 0, latest: 0 }
  #wake = () => {}
  #isStopped = false
  #hasWarned = false
  readonly #done: Promise<void>
  currentAt: number | undefined

  constructor(options: LogOptions, follower: Follower, onStop: () => void) {
    this.#options = options
    this.#follower = follower
    this.#onStop = onStop
    this.#id = newId(options.random)
    this.#done = this.#run()
  }

  get time() {
    const now = this.#options.clock.now()
    return { earliest: now + this.#offset.earliest, latest: now + this.#offset.latest }
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
    await commands.run(keys[1], ['HDEL', keys[1], this.#id]).catch(() => {})
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
    const { commands, onPrimary } = this.#options
    this.#unanswered ??= this.#ask().finally(() => {
      this.#unanswered = undefined
    })
    const { sent, received, time, primary, entries } = await commands.inTime(this.#unanswered)
    if (primary !== this.#primary) await onPrimary(primary)
    this.#offset = { earliest: time - received, latest: time - sent }
    const follows = this.#position === start || entries[0]?.[0] === this.#position
    if (this.#primary !== undefined && (primary !== this.#primary || !follows)) {
      // A failover, a restart or somebody's hand may have taken something out: all of it is read again.
      this.#primary = primary
      this.#position = start
      this.#present = new Set()
      this.#lost = undefined
      return true
    }
    this.#primary = primary
    const news = this.#position === start ? entries : entries.slice(1)
    for (const [id, text] of news) {
      this.#position = id
      this.#take(text)
    }
    if (entries.length === page) return true
    if (await this.#restore()) return true
    this.#present = undefined
    this.#lost = undefined
    this.currentAt = sent
    return news.length > 0
  }

  async #ask(): Promise<Look> {
    const { commands, clock, keys } = this.#options
    const sent = clock.now()
    const reply = await commands.probe(scripts.look, keys, [this.#id, this.#position, aliveFor, page])
    const [time, primary, entries] = reply as [number, string, [id: string, fields: string[]][]]
    return {
      sent,
      received: clock.now(),
      time: Number(time),
      primary,
      entries: entries.map(([id, fields]) => [id, fields[1] ?? '']),
    }
  }

  #take(sealed: string): void {
    const { seal, keys } = this.#options
    const entry = seal.open(keys[0], sealed)
    if (entry === undefined) {
      if (!this.#hasWarned) {
        process.emitWarning('redisStore: the log has an entry that was not written with our secret; it is passed over')
      }
      this.#hasWarned = true
      return
    }
    this.#present?.add(entry)
    this.#follower.onEntry(entry)
  }

  /**
   * Appends again some of what the log has lost and this node still knows. Whether there was any: the other nodes do the
   * same, so that the next look shows what is left. Each begins elsewhere, or all would append the same.
   */
  async #restore(): Promise<boolean> {
    const { commands, seal, keys, random } = this.#options
    const present = this.#present
    if (!present) return false
    if (!this.#lost) {
      const known = [...this.#follower.entries()]
      const first = Buffer.from(random(4)).readUInt32LE() % Math.max(1, known.length)
      this.#lost = [...known.slice(first), ...known.slice(0, first)]
    }
    this.#lost = this.#lost.filter(([entry]) => !present.has(entry))
    const appended = this.#lost.slice(0, page).map(([entry, ttl]) => {
      return commands.eval(scripts.append, [keys[0]], [seal.close(keys[0], entry), Math.ceil(ttl)])
    })
    await Promise.all(appended)
    return appended.length > 0
  }
}

/** What a look into the log has shown. */
interface Look {
  readonly sent: number
  readonly received: number
  readonly time: number
  readonly primary: string
  readonly entries: readonly (readonly [id: string, text: string])[]
}

/** Whether one id of the stream comes before another: time, then number. */
function isBefore(one: string, other: string): boolean {
  const [time = 0, number = 0] = one.split('-').map(Number)
  const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number)
  return time < otherTime || (time === otherTime && number < otherNumber)
}
