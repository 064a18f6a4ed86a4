import type { Clock } from '../../support/clock.js'
import type { Seal } from './seal.js'
import type { ServerTime } from './time.js'

/**
 * The server that holds the log for all nodes. It knows entries, questions and answers by what marks them only. Each
 * operation is one step under any race, and rejects with `UnavailableError`.
 */
export interface LogServer {
  /** How often a node looks, in milliseconds, where nothing wakes it: an entry is everywhere within that and a round trip. */
  readonly lookEvery: number
  /** An id before all others. */
  readonly start: string
  /** Appends an entry, and keeps it for `ttl` milliseconds. Its id. */
  append(entry: string, ttl: number): Promise<string>
  /** Whether one id comes before another. */
  isBefore(one: string, other: string): boolean
  /** Which of these entries are not there, and the time. */
  missing(ids: readonly string[]): Promise<{ readonly missing: readonly string[]; readonly time: number }>
  /** Looks for a node; also while the server is silent, and without a deadline: see {@link inTime}. */
  look(node: Looking): Promise<Look>
  /** Waits for a look as long as a reply may take. */
  inTime<T>(reply: Promise<T>): Promise<T>
  /** Asks all nodes a question, which is kept for `ttl` milliseconds. Its id. */
  ask(question: string, ttl: number): Promise<string>
  /** Answers the question of that name. */
  answer(name: string, answer: string, ttl: number): Promise<void>
  /** How far the nodes have come, and the answers to the question of that name. */
  positions(name: string): Promise<Positions>
  /** Forgets a node. */
  leave(node: string): Promise<void>
  /** Calls `wake` when there is something to look at, as soon as the server says so. Where it says nothing, absent. */
  subscribe?(wake: () => void): void
}

/** A node that looks: what it says of itself, and what it has not seen yet. */
export interface Looking {
  readonly node: string
  /** The last entry and the last question that it has. */
  readonly position: string
  readonly heard: string
  /** How long it counts among the nodes from now on, in milliseconds. */
  readonly countsFor: number
  /** How many entries, and how many questions, it takes at most. */
  readonly page: number
}

/** What a look has shown. */
export interface Look {
  /** The time of the server, in milliseconds since the epoch. */
  readonly time: number
  /** Names the server with its memory: another one when that may have lost something. */
  readonly primary: string
  /** From the position on, itself included. */
  readonly entries: readonly Written[]
  /** Behind the one that was heard last. */
  readonly questions: readonly Written[]
}

/** Something with its id, as a node has written it. */
export type Written = readonly [id: string, sealed: string]

/** How far the nodes have come. */
export interface Positions {
  /** In the log, of all nodes that count. */
  readonly log: readonly string[]
  /** In the questions, of the nodes that are awake. */
  readonly questions: readonly string[]
  readonly answers: readonly string[]
}

/** Thirty looks of 100 ms. Who has looked no more since then would not answer either. */
export const awakeFor = 3_000

/** How long a question may be answered, in milliseconds. */
export const questionTtl = 5_000

/** What the log is built on. */
export interface LogOptions {
  /** The name of the store, for warnings. */
  readonly name: string
  readonly server: LogServer
  readonly seal: Seal
  readonly clock: Clock
  readonly time: ServerTime
  readonly random: (bytes: number) => Uint8Array
  /** What a mark is bound to. */
  readonly keyOf: (name: string) => string
  /** Told which primary answers, before anything else of it is believed. Rejects when it must not be used. */
  readonly onPrimary: (primary: string) => Promise<void>
}

/** What the answers to a question are marked under. */
export const answersTo = (name: string): string => `questions:${name}`

/** Appends an entry, sealed with its end. Its id. */
export function appendTo({ server, seal, time, keyOf }: LogOptions, entry: string, ttl: number): Promise<string> {
  return server.append(seal.close(keyOf('log'), entry, time.now.latest + ttl), Math.ceil(ttl))
}
