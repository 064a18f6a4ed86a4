import { createServer, type Socket } from 'node:net'
import type { Clock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import { Holder } from './holder.js'
import { readLines, writeLine } from './lines.js'

/** What may be called, with what. */
export type Calls = {
  [Name in Exclude<keyof Holder, 'forget'>]: Holder[Name] extends (owner: never, ...args: infer Args) => infer Answer
    ? { readonly args: Args; readonly answer: Answer }
    : never
}

/** What a process asks the holder. */
export interface Call {
  readonly id: number
  readonly call: keyof Calls
  readonly args: readonly unknown[]
}

/** What the holder says: an answer, what is wrong, or that there are news. */
export type Said =
  | { readonly id: number; readonly answer?: unknown }
  | { readonly id: number; readonly full: string }
  | { readonly news: true }

const calls: ReadonlySet<string> = new Set<keyof Calls>([
  'put',
  'take',
  'count',
  'acquire',
  'release',
  'append',
  'missing',
  'look',
  'ask',
  'answer',
  'positions',
  'leave',
])

/** A holder that is served. */
export interface Service {
  /** Ends it, and sends those that it served away. */
  end(): void
}

/** Serves a holder at `path`. It keeps no process alive. */
export function serveHolder(path: string, clock: Clock): Promise<Service> {
  const sockets = new Set<Socket>()
  const holder = new Holder(clock, () => {
    for (const socket of sockets) writeLine(socket, { news: true } satisfies Said)
  })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.unref()
    socket.on('error', () => {})
    socket.once('close', () => {
      sockets.delete(socket)
      holder.forget(socket)
    })
    readLines(socket, (message) => writeLine(socket, answerTo(holder, socket, message)))
  })
  const end = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // Of its own: in a worker the primary would listen for it, and share it.
    server.unref().listen({ path, exclusive: true }, () => resolve({ end }))
  })
}

/** @throws TypeError on what is no call: whoever sent it is no process of ours */
function answerTo(holder: Holder, socket: Socket, message: unknown): Said {
  const { id, call, args } = message as Call
  if (!calls.has(call) || !Array.isArray(args)) throw new TypeError('no call')
  try {
    const run = holder[call] as (owner: object, ...args: readonly unknown[]) => unknown
    return { id, answer: run.call(holder, socket, ...args) }
  } catch (error) {
    if (error instanceof UnavailableError) return { id, full: error.message }
    throw error
  }
}
