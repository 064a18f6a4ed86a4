import { randomBytes } from 'node:crypto'
import { checkedObject } from '../../support/checked-kind.js'
import { ConfigurationError, UnavailableError } from '../../support/errors.js'
import { Breaker } from '../remote/breaker.js'
import { Log } from '../remote/log.js'
import { type ServerStoreOptions, setUp } from '../remote/setup.js'
import { readJson } from '../remote/values.js'
import type { Store } from '../store.js'
import { Commands, type Keys, unavailable } from './commands.js'
import { inspectServer } from './inspection.js'
import { RedisLog } from './log.js'
import * as scripts from './scripts.js'

/** As much of a client of ioredis as the store uses: a `Redis`, also one of Sentinels, or a `Cluster`. */
export interface RedisClient {
  /** Sends a command and resolves with its reply; rejects with what Redis, or the connection, says is wrong. */
  call(command: string, ...args: string[]): Promise<unknown>
}

/** Options of {@link redisStore}. */
export interface RedisStoreOptions extends ServerStoreOptions {
  /** Yours, already made; the store neither opens nor closes it. */
  readonly client: RedisClient
  /**
   * What keys start with, in braces: one for each environment on the same Redis. Letters, digits and `. : _ -`. Default
   * `sallyport`.
   */
  readonly prefix?: string
}

/**
 * The store of many nodes: Redis 7 or Valkey, as one server, with Sentinels, or as a Cluster, where all keys of a prefix
 * stand in one slot.
 *
 * It warns, through `process.emitWarning`, of a server that may lose something, and does not work with one that evicts
 * revocations (`maxmemory-policy allkeys-…`).
 *
 * @throws ConfigurationError on a secret that is short, a prefix that cannot be one, or another option that cannot work
 */
export function redisStore(options: RedisStoreOptions): Store {
  checkedObject('redisStore', 'options', options, '{ client, secret }')
  const { client, prefix = 'sallyport' } = options
  checkedObject('redisStore', 'client', client, 'a client of ioredis', 'call')
  if (typeof prefix !== 'string' || !/^[\w.:-]+$/.test(prefix)) {
    throw new ConfigurationError(
      'store-prefix',
      `redisStore: prefix is ${JSON.stringify(prefix)}; use letters, digits and . : _ -`,
    )
  }
  const { clock, timeout, seal, time, values, warn } = setUp('redisStore', 'Redis', options)
  const keyOf = (name: string) => `{${prefix}}:${name}`
  const breaker = new Breaker('Redis', clock, timeout, unavailable)
  const commands = new Commands((_, [command = '', ...args]) => client.call(command, ...args), breaker)
  // The followers keep it true.
  let primary: string | undefined
  const server = new RedisLog(commands, breaker, keyOf)
  const log = new Log({ name: 'redisStore', server, seal, clock, time, random: randomBytes, keyOf, onPrimary })

  async function onPrimary(): Promise<void> {
    const sent = clock.now()
    const reply = await commands.eval(scripts.inspect, [keyOf('log')], [])
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

  const groupKeys = (group: string): Keys => [keyOf(`${group}:order`), keyOf(`${group}:ends`)]

  return {
    async put(name, value, ttl) {
      const key = keyOf(name)
      if (primary === undefined) await onPrimary()
      const sealed = values.close(key, `${primary} ${JSON.stringify(value)}`, ttl)
      const reply = await commands.run(key, ['SET', key, sealed, 'NX', 'PX', `${ttl}`])
      if (reply === null) throw new Error('the key is in use')
    },
    async take(name) {
      const key = keyOf(name)
      const reply = await commands.eval(scripts.take, [key], [])
      if (!reply) return undefined
      const [sealed, current, now] = reply as [sealed: string, primary: string, now: number]
      const text = values.open(key, sealed, now)
      // What was put under another primary may have been taken there, without this one having heard of it.
      return text?.startsWith(`${current} `) ? readJson(text.slice(current.length + 1), 'Redis') : undefined
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
