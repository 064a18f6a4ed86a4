import { inspect } from 'node:util'
import {
  createGuard,
  type Dialect,
  firstMessage,
  type Guard,
  graphqlWs,
  header,
  hocuspocus,
  type Identity,
  mqtt,
  type Store,
  stomp,
  trpc,
  type WireMessage,
} from '@sallyport/server'
import { plain } from '../../src/dialects/plain.js'
import { type TestClock, testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { verifyGood } from '../support/guard.js'

const dialects = { plain, graphqlWs, trpc, hocuspocus, mqtt, stomp }

/** What a test wants of a route, in words that can be sent to another process. */
export interface DialectSetting {
  readonly dialect: keyof typeof dialects
  /** Whether the verifier holds its answer back until it is released. */
  readonly holds?: boolean
  /** Whether the first message is no way in. */
  readonly strict?: boolean
}

const methods = ['seen', 'events', 'hasAsked', 'release', 'lives', 'advance'] as const

/** A call of a scene. */
export interface DialectCall {
  readonly method: (typeof methods)[number]
  readonly args: readonly unknown[]
}

/** A scene as a test asks it: in this process, or in another one. */
export type DialectControl = {
  [K in DialectCall['method']]: (...args: Parameters<DialectScene[K]>) => Promise<ReturnType<DialectScene[K]>>
}

/** Starts a server whose WebSocket route, at `path`, speaks a dialect. */
export type StartDialect = (
  setting: DialectSetting,
) => Promise<DialectControl & { readonly port: number; readonly path: string }>

/** Asks a scene by calls. */
export const controlBy = (call: (call: DialectCall) => Promise<unknown>): DialectControl =>
  Object.fromEntries(
    methods.map((method) => [method, (...args: readonly unknown[]) => call({ method, args })]),
  ) as unknown as DialectControl

/** The name of a dialect. */
export const nameOf = (dialect: Dialect): DialectSetting['dialect'] =>
  Object.entries(dialects).find(([, known]) => known === dialect)![0] as DialectSetting['dialect']

/** Whom the route admits. */
export const admit = ({ id }: Identity): boolean => !id.startsWith('eve')

/** Bytes that say which of the two it was. */
export const shown = (message: WireMessage): string =>
  typeof message === 'string' ? `text ${message}` : `bytes ${Buffer.from(message).toString('latin1')}`

/** A guard, and the application behind it, whatever the server. */
export class DialectScene {
  readonly dialect: Dialect
  readonly guard: Guard<Identity>
  readonly #clock: TestClock
  readonly #seen: string[] = []
  readonly #events: string[] = []
  #hasAsked = false
  #isReleased = false

  /** @param storeOf the store where there is one that knows the time of the scene */
  constructor(
    { dialect, holds, strict }: DialectSetting,
    { start, storeOf }: { readonly start?: number; readonly storeOf?: (clock: TestClock) => Store } = {},
  ) {
    const clock = testClock(start)
    const verify = async (...args: Parameters<typeof verifyGood>) => {
      this.#hasAsked = true
      // Not by a promise: in a Worker, another request cannot settle one.
      while (holds && !this.#isReleased) await nextTurn()
      return verifyGood(...args)
    }
    this.#clock = clock
    this.dialect = dialects[dialect]
    this.guard = createGuard({
      clock,
      ...(storeOf && { store: storeOf(clock) }),
      // Some stores go by another clock.
      life: { maxStaleness: 3_600_000 },
      accept: strict ? [header({ verify })] : [header({ verify }), firstMessage({ verify })],
    })
    this.guard.subscribe((event) => {
      if (event.type !== 'store') this.#events.push(inspect(event, { depth: 10, showHidden: true }))
    })
  }

  /** Somebody is let in. */
  enter({ id }: Identity, send: (text: string) => void): void {
    this.#seen.push(id)
    send('open')
  }

  /** The application gets a message. */
  take(message: WireMessage | ArrayBuffer): void {
    this.#seen.push(shown(message instanceof ArrayBuffer ? new Uint8Array(message) : message))
  }

  /** What the application got to see, in order. */
  seen(): string[] {
    return this.#seen
  }

  /** What the guard has told, as text. */
  events(): string[] {
    return this.#events
  }

  /** Whether the verifier was asked. */
  hasAsked(): boolean {
    return this.#hasAsked
  }

  /** Lets it answer. */
  release(): void {
    this.#isReleased = true
  }

  /** For how long each connection may live on, in milliseconds. */
  lives(): number[] {
    return [...this.guard.connections].map(({ expiresAt = 0 }) => expiresAt - this.#clock.now())
  }

  advance(ms: number): void {
    this.#clock.advance(ms)
  }

  /** Answers a call of a test. */
  answer({ method, args }: DialectCall): unknown {
    return (this[method] as (...args: readonly unknown[]) => unknown)(...args)
  }
}
