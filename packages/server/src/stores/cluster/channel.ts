import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import type { MeetingPlace } from './folder.js'
import { readLines, writeLine } from './lines.js'
import { type Call, type Calls, type Said, type Service, serveHolder } from './service.js'

const watchEvery = 1_000

/** An answer that somebody waits for. */
interface Awaited {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: UnavailableError) => void
}

/** The way of a process to the holder, which it becomes itself when there is none. */
export class Channel {
  readonly #place: MeetingPlace
  readonly #clock: Clock
  #socket: Promise<Socket> | undefined
  readonly #awaited = new Map<number, Awaited>()
  #lastId = 0
  #onNews = () => {}

  constructor(place: MeetingPlace, clock: Clock) {
    this.#place = place
    this.#clock = clock
  }

  /** Calls `onNews` when there is something to look at, or another holder. */
  subscribe(onNews: () => void): void {
    this.#onNews = onNews
  }

  /** Calls the holder. Rejects with `UnavailableError` when it goes away meanwhile, or is full. */
  async call<Name extends keyof Calls>(name: Name, ...args: Calls[Name]['args']): Promise<Calls[Name]['answer']> {
    this.#socket ??= this.#open().catch((error: unknown) => {
      this.#socket = undefined
      throw error
    })
    const socket = await this.#socket
    if (socket.destroyed) throw gone()
    return new Promise<unknown>((resolve, reject) => {
      this.#lastId += 1
      this.#awaited.set(this.#lastId, { resolve, reject })
      socket.ref()
      writeLine(socket, { id: this.#lastId, call: name, args } satisfies Call)
    }) as Promise<Calls[Name]['answer']>
  }

  /** Leaves the holder. */
  close(): void {
    this.#socket?.then(
      (socket) => socket.destroy(),
      () => {},
    )
  }

  async #open(): Promise<Socket> {
    for (;;) {
      const newest = this.#place.newest()
      const socket = newest > 0 ? await reach(this.#place.link(newest)) : undefined
      if (socket) return this.#use(socket)
      await this.#hold(newest + 1)
    }
  }

  /** Becomes the holder, unless another is faster. */
  async #hold(number: number): Promise<void> {
    this.#place.prepare()
    const name = randomBytes(4).toString('hex')
    const service = await serveHolder(this.#place.socket(name), this.#clock)
    if (this.#place.claim(number, name)) this.#watch(number, name, service)
    else service.end()
  }

  /** Whoever clears the folder away lets another in: then all go there. */
  #watch(number: number, name: string, service: Service): void {
    this.#clock.after(watchEvery, () => {
      if (this.#place.isHeldBy(number, name)) this.#watch(number, name, service)
      else service.end()
    })
  }

  #use(socket: Socket): Socket {
    socket.unref()
    socket.on('error', () => {})
    readLines(socket, (message) => this.#hear(socket, message as Said))
    socket.once('close', () => {
      this.#socket = undefined
      for (const { reject } of this.#awaited.values()) reject(gone())
      this.#awaited.clear()
      this.#onNews()
    })
    return socket
  }

  #hear(socket: Socket, said: Said): void {
    if ('news' in said) {
      this.#onNews()
      return
    }
    const awaited = this.#awaited.get(said.id)
    this.#awaited.delete(said.id)
    if (this.#awaited.size === 0) socket.unref()
    if ('full' in said) awaited?.reject(new UnavailableError(said.full))
    else awaited?.resolve(said.answer)
  }
}

const gone = () => new UnavailableError('the holder of the store is gone')

/** A socket to a holder; `undefined` when there is none any more. */
function reach(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined)
      else reject(error)
    })
  })
}
