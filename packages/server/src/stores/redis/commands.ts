import { UnavailableError } from '../../support/errors.js'
import type { Breaker } from '../remote/breaker.js'
import type { Script } from './scripts.js'

/** Sends a command to the primary that holds `key`. */
export type Send = (key: string, args: string[]) => Promise<unknown>

/** The keys of a script. All of ours stand in one slot. */
export type Keys = readonly [string, ...string[]]

/** Commands to Redis. */
export class Commands {
  readonly #send: Send
  readonly #breaker: Breaker

  constructor(send: Send, breaker: Breaker) {
    this.#send = send
    this.#breaker = breaker
  }

  /** Sends a command; refused at once while the server is silent. */
  run(key: string, args: string[]): Promise<unknown> {
    return this.#breaker.run(() => this.#send(key, args))
  }

  /** Runs a script; refused at once while the server is silent. */
  eval(script: Script, keys: Keys, args: readonly (string | number)[]): Promise<unknown> {
    return evaluate((key, command) => this.run(key, command), script, keys, args)
  }

  /** Runs a script also while the server is silent, to hear of it again. Without a deadline. */
  probe(script: Script, keys: Keys, args: readonly (string | number)[]): Promise<unknown> {
    const send: Send = (key, command) => this.#breaker.probe(() => this.#send(key, command))
    return evaluate(send, script, keys, args)
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

/** What a client threw, by the kind of fault only: the errors of clients carry the arguments. */
export function unavailable(error: unknown): UnavailableError {
  const { name, message } = error instanceof Error ? error : new Error('')
  const reply = /^-?([A-Z]{2,})\b/.exec(message)?.[1]
  return new UnavailableError(reply ? `Redis answered ${reply}` : `Redis is out of reach: ${name}`)
}
