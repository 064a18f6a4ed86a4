import { newId } from '../../support/id.js'
import type { Appended, Follower, Following } from '../store.js'
import { answersKey, appendTo, isBefore, type LogOptions, questionTtl } from './entries.js'
import { Node } from './node.js'
import * as scripts from './scripts.js'

const confirmWithin = 1_000
const confirmEvery = 20
// Thirty looks. Who has looked no more since then would not answer either.
const awakeFor = 3_000

/** How far the nodes have come. */
interface Positions {
  readonly log: readonly string[]
  readonly questions: readonly string[]
  readonly answers: readonly string[]
}

/** How many have come to an id. */
const countFrom = (id: string, positions: readonly string[]): number =>
  positions.filter((position) => !isBefore(position, id)).length

/** The log as a stream. Each node looks into it from its own position. */
export class Log {
  readonly #options: LogOptions
  readonly #nodes = new Set<Node>()
  readonly #underWay = new Map<string, Promise<Positions>>()

  constructor(options: LogOptions) {
    this.#options = options
  }

  follow(follower: Follower): Following {
    const node: Node = new Node(this.#options, follower, {
      ask: (question, most) => this.#ask(node.id, question, most),
      onStop: () => this.#nodes.delete(node),
    })
    this.#nodes.add(node)
    return node
  }

  async append(entry: string, ttl: number): Promise<Appended> {
    const id = await appendTo(this.#options, entry, ttl)
    const { log } = await this.#until(
      answersKey(this.#options.keys[2], ''),
      ({ log }) => countFrom(id, log) === log.length,
    )
    return { confirmed: countFrom(id, log), followers: log.length }
  }

  /** Asks on behalf of a node. */
  async #ask(node: string, question: string, most: number): Promise<readonly string[]> {
    const { commands, seal, time, random, keys } = this.#options
    const name = newId(random)
    const sealed = seal.close(keys[2], `${name} ${node} ${question}`, time.now.latest + questionTtl)
    const id = String(await commands.eval(scripts.ask, [keys[2]], [sealed, questionTtl]))
    if (most === 0) return []
    const key = answersKey(keys[2], name)
    const { answers } = await this.#until(key, ({ questions, answers }) => {
      return answers.length >= most || countFrom(id, questions) === questions.length
    })
    return answers.flatMap((answer) => seal.open(key, answer)?.text ?? [])
  }

  /** Asked once for all who wait for the same: an answer that is under way knows of too little, never of too much. */
  #positions(answersKey: string): Promise<Positions> {
    const underWay = this.#underWay.get(answersKey)
    if (underWay) return underWay
    const { commands, keys } = this.#options
    const asked = commands.eval(scripts.positions, [keys[1], answersKey], [awakeFor]).then((reply) => {
      const [log, questions, answers] = reply as [string[], string[], string[]]
      return { log, questions, answers }
    })
    this.#underWay.set(answersKey, asked)
    return asked.finally(() => this.#underWay.delete(answersKey))
  }

  /** Wakes the nodes of this store, and waits until the others have come so far, a second at most. */
  async #until(answersKey: string, isSo: (positions: Positions) => boolean): Promise<Positions> {
    const { clock } = this.#options
    const end = clock.now() + confirmWithin
    for (;;) {
      for (const node of this.#nodes) node.wake()
      const positions = await this.#positions(answersKey)
      if (isSo(positions) || clock.now() >= end) return positions
      await new Promise<void>((resolve) => clock.after(confirmEvery, resolve))
    }
  }
}
