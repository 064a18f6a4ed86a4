import type { Appended, Follower, Following } from '../store.js'
import { appendTo, isBefore, type LogOptions } from './entries.js'
import { Node } from './node.js'
import * as scripts from './scripts.js'

const confirmWithin = 1_000
const confirmEvery = 20

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
    const { commands, clock, keys } = this.#options
    const id = await appendTo(this.#options, entry, ttl)
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
