import { randomBytes } from 'node:crypto'
import { checkedNumber } from '../../support/checked-number.js'
import { type Clock, longestDelay, systemClock } from '../../support/clock.js'
import { ConfigurationError, UnavailableError } from '../../support/errors.js'
import { ExpiringMap } from '../../support/expiring-map.js'
import type { Store } from '../store.js'
import { Commands, type Keys } from './commands.js'
import { inspectServer } from './inspection.js'
import { Log } from './log.js'
import * as scripts from './scripts.js'
import { createSeal } from './seal.js'
import { ServerTime } from './time.js'

/** As much of a client of ioredis as the store uses: a `Redis`, also one of Sentinels, or a `Cluster`. */
export interface RedisClient {
  /** Sends a command and resolves with its reply; rejects with what Redis, or the connection, says is wrong. */
  call(command: string, ...args: string[]): Promise<unknown>
}

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** Yours, already made; the store neither opens nor closes it. */
  readonly client: RedisClient
  /**
   * A secret of all nodes, 32 random bytes at least, which marks tickets and revocations, so that nobody else who can
   * write to Redis can make them; of several the first marks, and all are believed. Default: none, with a warning.
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[]
  /**
   * What keys start with, in braces: one for each environment on the same Redis. Letters, digits and `. : _ -`. Default
   * `sallyport`.
   */
  readonly prefix?: string
  /** How long a command may take, in milliseconds; then it is refused, and so are all until Redis answers. Default 500. */
  readonly timeout?: number
  /** Times commands and looks; what Redis holds ends by the time of Redis. Default: the system's clock. */
  readonly clock?: Clock
}

/**
 * The store of many nodes: Redis 7 or Valkey, as one server, with Sentinels, or as a Cluster, where all keys of a prefix
 * stand in one slot.
 *
 * It warns, through `process.emitWarning`, of a server that may lose something, and does not work with one that evicts
 * revocations (`maxmemory-policy allkeys-…`).
 *
 * @throws ConfigurationError on a secret that is short, a prefix that cannot be one, or a timeout that is no time
 */
export function redisStore(options: RedisStoreOptions): Store {
  const { client, secret = [], prefix = 'sallyport', clock = systemClock } = options
  const timeout = checkedNumber('redisStore', 'timeout', options.timeout ?? 500, 1, longestDelay)
  if (!/^[\w.:-]+$/.test(prefix)) {
    throw new ConfigurationError(
      'store-prefix',
      `redisStore: prefix is ${JSON.stringify(prefix)}; use letters, digits and . : _ -`,
    )
  }
  const secrets = typeof secret === 'string' || secret instanceof Uint8Array ? [secret] : secret
  const seal = createSeal(secrets)
  const keyOf = (name: string) => `{${prefix}}:${name}`
  const commands = new Commands((_, [command = '', ...args]) => client.call(command, ...args), clock, timeout)
  const warned = new Set<string>()
  // The followers keep both true.
  const time = new ServerTime(clock)
  let primary: string | undefined
  // What was taken here, until its end: whoever writes it back opens nothing more with it on this node.
  const taken = new ExpiringMap<string, true>(() => time.now.earliest)
  const keys = [keyOf('log'), keyOf('nodes'), keyOf('questions')] as const
  const log = new Log({ commands, seal, clock, time, random: randomBytes, keys, onPrimary })
  if (secrets.length === 0) warn('give it a secret: without one, whoever can write to Redis can make tickets')

  async function onPrimary(): Promise<void> {
    const sent = clock.now()
    const reply = await commands.eval(scripts.inspect, [keys[0]], [])
    const [found, info, now] = reply as [primary: string, info: string, now: number]
    time.told(now, sent, clock.now())
    try {
      for (const warning of inspectServer(info)) warn(warning)
    } catch (error) {
      if (error instanceof UnavailableError) warn(error.message)
      throw error
    }
    primary = found
  }

  function warn(text: string): void {
    if (warned.has(text)) return
    warned.add(text)
    process.emitWarning(`redisStore: ${text}`)
  }

  const groupKeys = (group: string): Keys => [keyOf(`${group}:order`), keyOf(`${group}:ends`)]

  return {
    async put(name, value, ttl) {
      const key = keyOf(name)
      if (primary === undefined) await onPrimary()
      const sealed = seal.close(key, `${primary} ${JSON.stringify(value)}`, time.now.latest + ttl)
      const reply = await commands.run(key, ['SET', key, sealed, 'NX', 'PX', `${ttl}`])
      if (reply === null) throw new Error('the key is in use')
    },
    async take(name) {
      const key = keyOf(name)
      const reply = await commands.eval(scripts.take, [key], [])
      if (!reply) return undefined
      const [sealed, current, now] = reply as [sealed: string, primary: string, now: number]
      const opened = seal.open(key, sealed)
      if (!opened || opened.end <= now || taken.get(key)) return undefined
      taken.set(key, true, opened.end)
      // What was put under another primary may have been taken there, without this one having heard of it.
      const { text } = opened
      return text.startsWith(`${current} `) ? readJson(text.slice(current.length + 1)) : undefined
    },
    async count(name, member, ttl) {
      return Number(await commands.eval(scripts.count, [keyOf(name)], [member, ttl]))
    },
    async acquire(group, member, { max, whenFull }, ttl) {
      const reply = await commands.eval(scripts.acquire, groupKeys(group), [member, max, whenFull, ttl])
      const [acquired, replaced] = reply as [number, string[]]
      return { acquired: acquired === 1, replaced }
    },
    async release(group, member) {
      await commands.eval(scripts.release, groupKeys(group), [member])
    },
    append: (entry, ttl) => log.append(entry, ttl),
    follow: (follower) => log.follow(follower),
  }
}

/** The error of the parser would quote what it could not read. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('Redis holds a value that is no JSON')
  }
}
