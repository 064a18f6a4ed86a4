import type { Clock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import { within } from '../../support/within.js'
import type { Script } from './scripts.js'

/** Sends a command to the primary that holds `key`. */
export type Send = (key: string, args: string[]) => Promise<unknown>

/** The keys of a script. All of ours stand in one slot. */
export type Keys = readonly [string, ...string[]]

// So many, and each may wait for its deadline: what is more would only wait in line.
const maxPending = 10_000

/**
 * Commands with a deadline of their own. Whatever goes wrong is an `UnavailableError` that names the kind of fault only:
 * the errors of clients carry the arguments.
 */
export class Commands {
  readonly #send: Send
  readonly #clock: Clock
  readonly #timeout: number
  #pending = 0
  /** Whether a command has missed its deadline, and nothing has been heard since. */
  #isSilent = false

  /** `timeout`: milliseconds from a command to its reply. */
  constructor(send: Send, clock: Clock, timeout: number) {
    this.#send = send
    this.#clock = clock
    this.#timeout = timeout
  }

  /** Sends a command; refused at once while the server is silent. */
  async run(key: string, args: string[]): Promise<unknown> {
    if (this.#isSilent || this.#pending >= maxPending) throw new UnavailableError('Redis does not answer')
    return this.inTime(this.#sent(key, args))
  }

  /** Runs a script; refused at once while the server is silent. */
  eval(script: Script, keys: Keys, args: readonly (string | number)[]): Promise<unknown> {
    return evaluate((key, command) => this.run(key, command), script, keys, args)
  }

  /** Runs a script also while the server is silent, to hear of it again. Without a deadline: see {@link inTime}. */
  probe(script: Script, keys: Keys, args: readonly (string | number)[]): Promise<unknown> {
    return evaluate((key, command) => this.#sent(key, command), script, keys, args)
  }

  /** Waits for a reply as long as a reply may take. */
  inTime<T>(reply: Promise<T>): Promise<T> {
    return within(reply, this.#timeout, this.#clock, () => {
      this.#isSilent = true
      return new UnavailableError(`Redis took longer than ${this.#timeout} ms`)
    })
  }

  async #sent(key: string, args: string[]): Promise<unknown> {
    this.#pending += 1
    try {
      return await this.#send(key, args)
    } catch (error) {
      throw unavailable(error)
    } finally {
      this.#pending -= 1
      this.#isSilent = false
    }
  }
}

/** Runs a script by its name, or, where the server has not seen it yet, by its source. */
async function evaluate(send: Send, script: Script, keys: Keys, args: readonly (string | number)[]): Promise<unknown> {
  const rest = [`${keys.length}`, ...keys, ...args.map(String)]
  try {
    return await send(keys[0], ['EVALSHA', script.sha, ...rest])
  } catch (error) {
    if (!(error instanceof UnavailableError) || error.message !== noScript) throw error
    return send(keys[0], ['EVAL', script.source, ...rest])
  }
}

const noScript = 'Redis answered NOSCRIPT'

/** What a client threw, without what it was asked. */
function unavailable(error: unknown): UnavailableError {
  const { name, message } = error instanceof Error ? error : new Error('')
  const reply = /^-?([A-Z]{2,})\b/.exec(message)?.[1]
  return new UnavailableError(reply ? `Redis answered ${reply}` : `Redis is out of reach: ${name}`)
}
