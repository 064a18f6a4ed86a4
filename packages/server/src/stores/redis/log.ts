import type { Breaker } from '../remote/breaker.js'
import {
  awakeFor,
  type LogServer,
  type Look,
  type Looking,
  type Positions,
  type Written,
} from '../remote/log-server.js'
import type { Commands } from './commands.js'
import * as scripts from './scripts.js'

/** The log as a stream, the nodes as a hash, and what they ask each other as another stream. */
export class RedisLog implements LogServer {
  readonly #commands: Commands
  readonly #breaker: Breaker
  readonly #log: string
  readonly #nodes: string
  readonly #questions: string
  /** Behind what was swept, with each entry that is appended; `-`: the first entry. */
  #sweepFrom = '-'
  readonly lookEvery = 100
  readonly start = '0-0'

  constructor(commands: Commands, breaker: Breaker, keyOf: (name: string) => string) {
    this.#commands = commands
    this.#breaker = breaker
    this.#log = keyOf('log')
    this.#nodes = keyOf('nodes')
    this.#questions = keyOf('questions')
  }

  async append(entry: string, ttl: number): Promise<string> {
    const reply = await this.#commands.eval(scripts.append, [this.#log], [entry, ttl, this.#sweepFrom, awakeFor])
    const [id, sweepFrom] = reply as [string, string]
    this.#sweepFrom = sweepFrom
    return id
  }

  /** Time, then number. */
  isBefore(one: string, other: string): boolean {
    const [time = 0, number = 0] = one.split('-').map(Number)
    const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number)
    return time < otherTime || (time === otherTime && number < otherNumber)
  }

  async missing(ids: readonly string[]) {
    const [missing, time] = (await this.#commands.eval(scripts.missing, [this.#log], ids)) as [string[], number]
    return { missing, time }
  }

  async look({ node, position, heard, countsFor, page }: Looking): Promise<Look> {
    const keys = [this.#log, this.#nodes, this.#questions] as const
    const reply = await this.#commands.probe(scripts.look, keys, [node, position, heard, countsFor, page])
    const [time, primary, entries, questions] = reply as [number, string, StreamEntry[], StreamEntry[]]
    return { time: Number(time), primary, entries: entries.map(written), questions: questions.map(written) }
  }

  inTime<T>(reply: Promise<T>): Promise<T> {
    return this.#breaker.inTime(reply)
  }

  async ask(question: string, ttl: number): Promise<string> {
    return String(await this.#commands.eval(scripts.ask, [this.#questions], [question, ttl]))
  }

  async answer(name: string, answer: string, ttl: number): Promise<void> {
    await this.#commands.eval(scripts.count, [this.#answers(name)], [answer, ttl])
  }

  async positions(name: string): Promise<Positions> {
    const keys = [this.#nodes, this.#answers(name)] as const
    const reply = await this.#commands.eval(scripts.positions, keys, [awakeFor])
    const [log, questions, answers] = reply as [string[], string[], string[]]
    return { log, questions, answers }
  }

  async leave(node: string): Promise<void> {
    await this.#commands.run(this.#nodes, ['HDEL', this.#nodes, node])
  }

  #answers(name: string): string {
    return `${this.#questions}:${name}`
  }
}

type StreamEntry = [id: string, fields: string[]]

const written = ([id, fields]: StreamEntry): Written => [id, fields[1] ?? '']
