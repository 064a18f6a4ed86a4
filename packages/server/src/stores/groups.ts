import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'
import type { Acquired, Places } from './store.js'

/** Groups whose members have places for a while, in the memory of this process. */
export class Groups {
  readonly #clock: Clock
  readonly #maxGroups: number
  /** Members with the end of their time, in the order in which they came. */
  readonly #groups = new Map<string, Map<string, number>>()

  constructor(clock: Clock, maxGroups: number) {
    this.#clock = clock
    this.#maxGroups = maxGroups
  }

  /** @throws UnavailableError when there are too many groups. */
  acquire(group: string, member: string, places: Places, ttl: number): Acquired {
    const members = this.#live(group)
    if (!this.#groups.has(group)) this.#makeRoom()
    this.#groups.set(group, members)
    return takePlace(members, member, places, this.#clock.now() + ttl)
  }

  release(group: string, member: string): void {
    const members = this.#groups.get(group)
    members?.delete(member)
    if (members?.size === 0) this.#groups.delete(group)
  }

  #live(group: string): Map<string, number> {
    const members = this.#groups.get(group) ?? new Map<string, number>()
    dropEnded(members, this.#clock.now())
    return members
  }

  #makeRoom(): void {
    if (this.#groups.size < this.#maxGroups) return
    for (const group of this.#groups.keys()) if (this.#live(group).size === 0) this.#groups.delete(group)
    if (this.#groups.size >= this.#maxGroups) throw new UnavailableError('the memory of this process is full of groups')
  }
}

/** Takes those out of a group whose time is over. */
export function dropEnded(members: Map<string, number>, now: number): void {
  for (const [member, end] of members) if (end <= now) members.delete(member)
}

/** Gives `member` a place until `end` in a group of those whose time is not over, in the order in which they came. */
export function takePlace(
  members: Map<string, number>,
  member: string,
  { max, whenFull }: Places,
  end: number,
): Acquired {
  const replaced: string[] = []
  if (!members.has(member) && members.size >= max) {
    if (whenFull === 'refuse') return { acquired: false, replaced }
    replaced.push(...[...members.keys()].slice(0, members.size - max + 1))
    for (const oldest of replaced) members.delete(oldest)
  }
  members.set(member, end)
  return { acquired: true, replaced }
}
