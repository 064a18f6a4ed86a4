import { ExpiringMap } from '../../support/expiring-map.js'
import type { Seal } from './seal.js'
import type { ServerTime } from './time.js'

/** What nodes put and take, as a server holds it. */
export class Values {
  readonly #seal: Seal
  readonly #time: ServerTime
  /** What was taken here, until its end: whoever writes it back opens nothing more with it on this node. */
  readonly #taken: ExpiringMap<string, true>

  constructor(seal: Seal, time: ServerTime) {
    this.#seal = seal
    this.#time = time
    this.#taken = new ExpiringMap(() => time.now.earliest)
  }

  /** What to put under `key` for `ttl` milliseconds. */
  close(key: string, text: string, ttl: number): string {
    return this.#seal.close(key, text, this.#time.now.latest + ttl)
  }

  /** What was taken out from under `key` at `now`, by the server's clock; `undefined` when it is good for nothing. */
  open(key: string, sealed: string, now: number): string | undefined {
    const opened = this.#seal.open(key, sealed)
    if (!opened || opened.end <= now || this.#taken.get(key)) return undefined
    this.#taken.set(key, true, opened.end)
    return opened.text
  }
}

/** Reads what was put; `server` is who held it. The error of the parser would quote what it could not read. */
export function readJson(text: string, server: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${server} holds a value that is no JSON`)
  }
}
