import { newId } from '../../support/id.js'
import type { Appended, Follower, Following } from '../store.js'
import { answersTo, appendTo, type LogOptions, type Positions, questionTtl } from './log-server.js'
import { Node } from './node.js'

const confirmWithin = 1_000
const confirmEvery = 20

/** The log that a server holds. Each node looks into it from its own position. */
export class Log {
  readonly #options: LogOptions
  readonly #nodes = new Set<Node>()
  readonly #underWay = new Map<string, Promise<Positions>>()

  constructor(options: LogOptions) {
    this.#options = options
    options.server.subscribe?.(() => {
      for (const node of this.#nodes) node.onNews()
    })
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
    const { log } = await this.#until('', ({ log }) => this.#countFrom(id, log) === log.length)
    return { confirmed: this.#countFrom(id, log), followers: log.length }
  }

  /** Asks on behalf of a node. */
  async #ask(node: string, question: string, most: number): Promise<readonly string[]> {
    const { server, seal, time, random, keyOf } = this.#options
    const name = newId(random)
    const sealed = seal.close(keyOf('questions'), `${name} ${node} ${question}`, time.now.latest + questionTtl)
    const id = await server.ask(sealed, questionTtl)
    if (most === 0) return []
    const { answers } = await this.#until(name, ({ questions, answers }) => {
      return answers.length >= most || this.#countFrom(id, questions) === questions.length
    })
    return answers.flatMap((answer) => seal.open(keyOf(answersTo(name)), answer)?.text ?? [])
  }

  /** How many have come to an id. */
  #countFrom(id: string, positions: readonly string[]): number {
    return positions.filter((position) => !this.#options.server.isBefore(position, id)).length
  }

  /** Asked once for all who wait for the same: an answer that is under way knows of too little, never of too much. */
  #positions(name: string): Promise<Positions> {
    const underWay = this.#underWay.get(name)
    if (underWay) return underWay
    const asked = this.#options.server.positions(name)
    this.#underWay.set(name, asked)
    return asked.finally(() => this.#underWay.delete(name))
  }

  /** Wakes the nodes of this store, and waits until the others have come so far, a second at most. */
  async #until(name: string, isSo: (positions: Positions) => boolean): Promise<Positions> {
    const { clock } = this.#options
    const end = clock.now() + confirmWithin
    for (;;) {
      for (const node of this.#nodes) node.wake()
      const positions = await this.#positions(name)
      // A server that has been emptied knows nobody until they look again.
      const knowsOurs = positions.log.length >= this.#nodes.size
      if ((knowsOurs && isSo(positions)) || clock.now() >= end) return positions
      await new Promise<void>((resolve) => clock.after(confirmEvery, resolve))
    }
  }
}
