import { randomBytes } from 'node:crypto'
import type { Clock } from '../../support/clock.js'
import { ExpiringMap } from '../../support/expiring-map.js'
import { newId } from '../../support/id.js'
import { InMemory } from '../in-memory.js'
import { awakeFor, type Look, type Looking, type Positions } from '../remote/log-server.js'
import type { Acquired, Places } from '../store.js'
import { Stream } from './stream.js'

const maxEntries = 100_000

/** A process that the holder serves. What it has been lent ends with it. */
export type Member = object

/** How far a node has come, and whose it is. */
interface KnownNode extends Looking {
  readonly owner: Member
  readonly lookedAt: number
  readonly end: number
}

/** What the processes of a machine share, in the memory of one of them: each call is one step. */
export class Holder {
  readonly #clock: Clock
  readonly #name = newId(randomBytes)
  readonly #held: InMemory
  /** Whose places are, by group and member. */
  readonly #lent: ExpiringMap<string, { readonly owner: Member; readonly group: string; readonly member: string }>
  readonly #log: Stream
  readonly #questions: Stream
  readonly #answers: ExpiringMap<string, string[]>
  readonly #nodes = new Map<string, KnownNode>()
  readonly #onNews: () => void

  /** `onNews`: told when there is something to look at. */
  constructor(clock: Clock, onNews: () => void) {
    this.#clock = clock
    this.#onNews = onNews
    this.#held = new InMemory(clock, maxEntries)
    this.#lent = new ExpiringMap(clock.now)
    this.#log = new Stream(clock.now)
    this.#questions = new Stream(clock.now)
    this.#answers = new ExpiringMap(clock.now)
  }

  put(_: Member, key: string, value: unknown, ttl: number): void {
    this.#held.put(key, value, ttl)
  }

  take(_: Member, key: string): unknown {
    return this.#held.take(key)
  }

  count(_: Member, key: string, member: string, ttl: number): number {
    return this.#held.count(key, member, ttl)
  }

  acquire(owner: Member, group: string, member: string, places: Places, ttl: number): Acquired {
    const answer = this.#held.acquire(group, member, places, ttl)
    const end = this.#clock.now() + ttl
    if (answer.acquired) this.#lent.set(JSON.stringify([group, member]), { owner, group, member }, end)
    return answer
  }

  release(_: Member, group: string, member: string): void {
    this.#held.release(group, member)
  }

  append(_: Member, entry: string, ttl: number): string {
    const id = this.#log.append(entry, ttl)
    this.#onNews()
    return id
  }

  missing(_: Member, ids: readonly string[]): { missing: string[]; time: number } {
    return { missing: ids.filter((id) => !this.#log.has(id)), time: this.#clock.now() }
  }

  look(owner: Member, looking: Looking): Look {
    const { node, position, heard, countsFor, page } = looking
    const time = this.#clock.now()
    // What it has of another holder is nothing here.
    const known = this.#nodes.has(node) ? looking : { ...looking, position: '0', heard: '0' }
    this.#nodes.set(node, { ...known, owner, lookedAt: time, end: time + countsFor })
    return {
      time,
      primary: this.#name,
      entries: this.#log.from(position, page),
      questions: this.#questions.from(heard, page + 1).filter(([id]) => id !== heard),
    }
  }

  ask(_: Member, question: string, ttl: number): string {
    const id = this.#questions.append(question, ttl)
    this.#onNews()
    return id
  }

  answer(_: Member, name: string, answer: string, ttl: number): void {
    this.#answers.set(name, [...(this.#answers.get(name) ?? []), answer], this.#clock.now() + ttl)
  }

  positions(_: Member, name: string): Positions {
    const now = this.#clock.now()
    for (const [id, { end }] of this.#nodes) if (end <= now) this.#nodes.delete(id)
    const nodes = [...this.#nodes.values()]
    return {
      log: nodes.map(({ position }) => position),
      questions: nodes.filter(({ lookedAt }) => now - lookedAt < awakeFor).map(({ heard }) => heard),
      answers: this.#answers.get(name) ?? [],
    }
  }

  leave(_: Member, node: string): void {
    this.#nodes.delete(node)
  }

  /** A process is gone: gives back its places, and counts its nodes no more. */
  forget(gone: Member): void {
    for (const [, { owner, group, member }] of this.#lent) if (owner === gone) this.#held.release(group, member)
    for (const [id, { owner }] of this.#nodes) if (owner === gone) this.#nodes.delete(id)
  }
}
