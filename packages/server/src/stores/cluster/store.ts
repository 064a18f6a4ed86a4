import { randomBytes } from 'node:crypto'
import { checkedClock, checkedObject, checkedText } from '../../support/checked-kind.js'
import { checkedNumber } from '../../support/checked-number.js'
import { type Clock, longestDelay, systemClock } from '../../support/clock.js'
import { ConfigurationError, UnavailableError } from '../../support/errors.js'
import { Breaker } from '../remote/breaker.js'
import { Log } from '../remote/log.js'
import { createSeal } from '../remote/seal.js'
import { ServerTime } from '../remote/time.js'
import type { Store } from '../store.js'
import { Channel } from './channel.js'
import { folderOfSiblings, MeetingPlace } from './folder.js'
import { ClusterLog } from './log.js'

/** Options of {@link clusterStore}. */
export interface ClusterStoreOptions {
  /**
   * A folder where the processes meet, which only your user can enter (mode 0700); it is made where there is none. Default:
   * one of the workers that one primary of `node:cluster`, or PM2 for one application, has started. Processes that are
   * started in another way must be told.
   */
  readonly folder?: string
  /** How long a command may take, in milliseconds; then it is refused, and so are all until there is an answer. Default 500. */
  readonly timeout?: number
  /** Default: the system's clock. */
  readonly clock?: Clock
}

/**
 * The store of many processes on one machine, with no server: workers of `node:cluster`, or of PM2. One of them holds what
 * they share in its memory, and the others ask it through a Unix socket in a private folder. When it ends, another
 * takes its place: tickets that nobody has used are void then, and revocations come back from those who know them. When all
 * have ended, everything is forgotten.
 *
 * @throws ConfigurationError on Windows, in a folder that others can write into, or on another option that cannot work
 */
export function clusterStore(options: ClusterStoreOptions = {}): Store {
  checkedObject('clusterStore', 'options', options, '{ folder }, or leave it out')
  const { folder, clock = systemClock, timeout = 500 } = options
  if (process.platform === 'win32') {
    throw new ConfigurationError(
      'cluster-store-windows',
      'clusterStore: not on Windows, which has no private sockets; use redisStore',
    )
  }
  checkedNumber('clusterStore', 'timeout', timeout, 1, longestDelay)
  checkedClock('clusterStore', clock)
  if (folder !== undefined) checkedText('clusterStore', 'folder', folder, 'the path of a folder, or leave it out')
  const channel = new Channel(new MeetingPlace(folder ?? folderOfSiblings()), clock)
  const breaker = new Breaker('the holder of the store', clock, timeout, unavailable)
  const log = new Log({
    name: 'clusterStore',
    server: new ClusterLog(channel, breaker),
    // Nobody else can write to it.
    seal: createSeal('clusterStore', []),
    clock,
    time: new ServerTime(clock),
    random: randomBytes,
    keyOf: (name) => name,
    onPrimary: async () => {},
  })
  return {
    put: (key, value, ttl) => breaker.run(() => channel.call('put', key, value, ttl)),
    take: (key) => breaker.run(() => channel.call('take', key)),
    count: (key, member, ttl) => breaker.run(() => channel.call('count', key, member, ttl)),
    acquire: (group, member, places, ttl) => breaker.run(() => channel.call('acquire', group, member, places, ttl)),
    release: (group, member) => breaker.run(() => channel.call('release', group, member)),
    append: (entry, ttl) => log.append(entry, ttl),
    follow: (follower) => log.follow(follower),
  }
}

function unavailable(error: unknown): UnavailableError {
  const { name, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error('')
  return new UnavailableError(`the holder of the store is out of reach: ${code ?? name}`)
}
