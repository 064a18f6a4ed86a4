import type { Clock } from '../../support/clock.js'
import type { Commands } from './commands.js'
import * as scripts from './scripts.js'
import type { Seal } from './seal.js'
import type { ServerTime } from './time.js'

/** What the log is built on. */
export interface LogOptions {
  readonly commands: Commands
  readonly seal: Seal
  readonly clock: Clock
  readonly time: ServerTime
  readonly random: (bytes: number) => Uint8Array
  /** The keys of the log, of the positions of the nodes, and of what they ask each other. */
  readonly keys: readonly [log: string, nodes: string, questions: string]
  /** Told which primary answers, before anything else of it is believed. Rejects when it must not be used. */
  readonly onPrimary: (primary: string) => Promise<void>
}

/** How long a question may be answered, in milliseconds. */
export const questionTtl = 5_000

/** The key of the answers to a question. */
export const answersKey = (questions: string, name: string): string => `${questions}:${name}`

/** Appends an entry, sealed with its end. Its id. */
export async function appendTo(
  { commands, seal, time, keys }: LogOptions,
  entry: string,
  ttl: number,
): Promise<string> {
  const sealed = seal.close(keys[0], entry, time.now.latest + ttl)
  return String(await commands.eval(scripts.append, [keys[0]], [sealed, Math.ceil(ttl)]))
}

/** Whether one id of the stream comes before another: time, then number. */
export function isBefore(one: string, other: string): boolean {
  const [time = 0, number = 0] = one.split('-').map(Number)
  const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number)
  return time < otherTime || (time === otherTime && number < otherNumber)
}
