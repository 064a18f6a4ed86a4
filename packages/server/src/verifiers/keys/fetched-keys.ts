import { checkedNumber } from '../../support/checked-number.js'
import { type Clock, systemClock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import { isObject } from '../shape.js'
import { type Fetch, fetchJson } from './fetch-json.js'
import {
  type FoundKeys,
  type KeyHeader,
  type KeySource,
  matchingKeys,
  readJwk,
  type VerificationKey,
} from './key-source.js'

/** How keys are fetched and kept. Times are in milliseconds. */
export interface JwksOptions {
  /** How long keys are good before they are fetched again; so long a removed key is still trusted. Default 600,000. */
  readonly maxAge?: number
  /** How much longer the last good keys are used while the server fails. Default 3,600,000. */
  readonly maxStale?: number
  /**
   * The most time between two fetches for unknown keys, good or failed. It is a second at first, and twice as long after
   * each fetch, until twice the cooldown passes without one: so a new key is known within a second or two, and names of
   * keys that nobody has cost no more than that. Default 30,000.
   */
  readonly cooldown?: number
  /** How long one fetch may take. Default 3,000. */
  readonly timeout?: number
  /** Asks the server in your own way, within `timeout` and 512 KiB: through a proxy, or with a private certificate authority. */
  readonly fetch?: Fetch
  /**
   * Allow http for an address that is not of this machine, such as `http://keycloak:8080/…` inside a cluster. Whoever can
   * change what travels there makes keys of their own, and everybody's tokens. Default `false`.
   */
  readonly dangerouslyAllowHttp?: boolean
  /** Times the fetch out. Default: the system's clock. */
  readonly clock?: Pick<Clock, 'after'>
}

/** The keys of an issuer, fetched when they are needed. */
export interface Jwks extends KeySource {
  /** Forgets all keys, at once and with all that was verified by them: for the day that a private key leaks. */
  purge(): void
}

/** Asks a server for a JSON object. Throws `UnavailableError` when there is none to be had. */
export type AskForObject = (url: URL, accept?: string) => Promise<Record<string, unknown>>

const maxBytes = 512 * 1024
const shortestGap = 1_000

/**
 * Keys that `load` finds by asking: it answers the `keys` of a JSON Web Key Set, and throws `UnavailableError`.
 *
 * One load at a time, shared by all who wait. An unknown `kid` causes one; any number of them soon no more than one per
 * `cooldown`. While loads fail the last good keys serve for `maxAge` and `maxStale`; after that, and for unknown keys,
 * `find` throws, because it cannot know.
 */
export function fetchedKeys(
  owner: string,
  options: JwksOptions,
  load: (ask: AskForObject) => Promise<readonly unknown[]>,
): Jwks {
  const check = (name: string, value: number, min: number, max: number) => checkedNumber(owner, name, value, min, max)
  const maxAge = check('maxAge', options.maxAge ?? 600_000, 1_000, 86_400_000)
  const lastUse = maxAge + check('maxStale', options.maxStale ?? 3_600_000, 0, 604_800_000)
  const cooldown = check('cooldown', options.cooldown ?? Math.min(30_000, maxAge), 1_000, maxAge)
  const timeout = check('timeout', options.timeout ?? 3_000, 1, 60_000)
  const { clock = systemClock, fetch } = options

  let current: { readonly keys: readonly VerificationKey[]; readonly text: string; fetchedAt: number } | undefined
  let pending: Promise<void> | undefined
  let attemptedAt = Number.NEGATIVE_INFINITY
  /** The least time until the next load. */
  let gap = shortestGap
  /** Why the last load failed, if it did. */
  let failure: unknown

  /** Whether the last load began less than `gap` ago. A clock that was set back must not make us wait for what it was. */
  const isSoon = (now: number) => Math.abs(now - attemptedAt) < gap
  const isYounger = (now: number, age: number) => {
    if (!current) return false
    // Where the clock was set back, their age begins anew: else they would be trusted until it is where it was.
    current.fetchedAt = Math.min(current.fetchedAt, now)
    return now - current.fetchedAt < age
  }

  async function ask(url: URL, accept = 'application/json'): Promise<Record<string, unknown>> {
    const value = await fetchJson(url, { headers: { accept } }, { timeout, maxBytes, clock, fetch })
    if (isObject(value)) return value
    throw new UnavailableError(`${url.origin}${url.pathname} sent no JSON object`)
  }

  function refresh(now: number): Promise<void> {
    if (pending) return pending
    const elapsed = now - attemptedAt
    if (isSoon(now)) return Promise.resolve()
    gap = elapsed < 2 * cooldown ? Math.min(2 * gap, cooldown) : shortestGap
    attemptedAt = now
    const attempt = load(ask).then(
      (keys) => {
        if (pending !== attempt) return
        pending = failure = undefined
        const text = JSON.stringify(keys)
        if (current?.text === text) current.fetchedAt = now
        else current = { keys: keys.flatMap((jwk) => readJwk(jwk) ?? []), text, fetchedAt: now }
      },
      (error: unknown) => {
        if (pending !== attempt) return
        pending = undefined
        failure = error
      },
    )
    pending = attempt
    return attempt
  }

  /** The keys that need not be fetched. */
  function atHand(now: number): readonly VerificationKey[] | undefined {
    const mayFetch = pending !== undefined || !isSoon(now)
    return isYounger(now, mayFetch ? maxAge : lastUse) ? current?.keys : undefined
  }

  async function fetchAndFind(header: KeyHeader, now: number): Promise<FoundKeys> {
    await refresh(now)
    if (!current || !isYounger(now, lastUse)) {
      throw failure ?? new UnavailableError('the keys were purged while they were fetched')
    }
    const found = match(current.keys, header)
    if (found.keys.length === 0 && failure) throw failure
    return found
  }

  return {
    find(header, now) {
      const found = match(atHand(now) ?? [], header)
      return found.keys.length > 0 ? found : fetchAndFind(header, now)
    },
    edition: atHand,
    purge() {
      current = pending = undefined
      attemptedAt = Number.NEGATIVE_INFINITY
    },
  }
}

/** Asks for a JSON Web Key Set (RFC 7517 section 5), and answers its keys. */
export async function askForKeys(ask: AskForObject, url: URL): Promise<readonly unknown[]> {
  const { keys } = await ask(url, 'application/jwk-set+json, application/json')
  if (Array.isArray(keys)) return keys
  throw new UnavailableError(`${url.origin}${url.pathname} sent no key set`)
}

/** How many keys are tried on one token that does not say which. */
const maxTries = 8

const match = (set: readonly VerificationKey[], header: KeyHeader): FoundKeys => ({
  keys: matchingKeys(set, header).slice(0, maxTries),
  edition: set,
})
