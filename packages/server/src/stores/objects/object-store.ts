import { type Clock, systemClock } from '../../support/clock.js'
import type { ObjectNamespace } from '../../support/cloudflare.js'
import { UnavailableError } from '../../support/errors.js'
import { newId } from '../../support/id.js'
import { randomBytes } from '../../support/random.js'
import { within } from '../../support/within.js'
import { ServerTime } from '../remote/time.js'
import type { Follower, Following, Store } from '../store.js'
import type { Look } from './log-table.js'
import type { StoreCalls } from './store-object.js'

/** Options of {@link objectStore}. */
export interface ObjectStoreOptions {
  /** How long an object may take, in milliseconds; then the store is unavailable (503). Default 500. */
  readonly timeout?: number
  /** Default: the system's clock. */
  readonly clock?: Clock
}

/** An object that follows, and is told of news while it may sleep. */
export interface ObjectFollower {
  readonly id: string
  /** The binding of its namespace, while it holds connections. */
  readonly binding: string | undefined
}

// What waits for others.
const confirmWithin = 1_000

/**
 * A store of Durable Objects, for Workers and for objects: `namespace` is bound to a class of `storeObject`. Each ticket is in an
 * object of its own, so that it is taken once whoever asks; the log is in one.
 *
 * ```ts
 * import { env } from 'cloudflare:workers'
 *
 * const guard = createGuard({ store: objectStore(env.SALLYPORT), accept: [ticket(), header({ verify })] })
 * ```
 */
export function objectStore(namespace: object, options: ObjectStoreOptions = {}): Store {
  return storeFor(namespace as ObjectNamespace<StoreCalls>, options)
}

/** The same for `object`, who alone follows it. */
export function storeFor(
  namespace: ObjectNamespace<StoreCalls>,
  { timeout = 500, clock = systemClock }: ObjectStoreOptions,
  object?: ObjectFollower,
): Store {
  async function call<T>(key: string, command: (stub: StoreCalls) => Promise<T>, patience = timeout): Promise<T> {
    try {
      const stub = namespace.get(namespace.idFromName(key))
      return await within(command(stub), patience, clock, () => new Error('no answer'))
    } catch (error) {
      throw new UnavailableError('an object of the store did not answer', { cause: error })
    }
  }
  const log = <T>(command: (stub: StoreCalls) => Promise<T>, patience?: number) => call('log', command, patience)
  const followings = new Set<Following>()

  return {
    put: (key, value, ttl) => call(`value:${key}`, (stub) => stub.put(value, ttl)),
    take: (key) => call(`value:${key}`, (stub) => stub.take()),
    count: (key, member, ttl) => call(`set:${key}`, (stub) => stub.count(member, ttl)),
    acquire: (group, member, places, ttl) => call(`group:${group}`, (stub) => stub.acquire(member, places, ttl)),
    release: (group, member) => call(`group:${group}`, (stub) => stub.release(member)),
    append(entry, ttl) {
      const appended = log((stub) => stub.append(entry, ttl), timeout + confirmWithin)
      // So that it is known to have come here.
      for (const following of followings) void following.look?.()
      return appended
    },
    follow(follower) {
      return new ObjectFollowing({ follower, object, clock, log, followings, patience: timeout + confirmWithin })
    },
  }
}

/** What a place in the log is made of. */
interface FollowingOptions {
  readonly follower: Follower
  readonly object: ObjectFollower | undefined
  readonly clock: Clock
  readonly log: <T>(command: (stub: StoreCalls) => Promise<T>, patience?: number) => Promise<T>
  /** Those of this store that follow now. */
  readonly followings: Set<Following>
  /** How long the log may take where it waits for others, in milliseconds. */
  readonly patience: number
}

/** A place in the log. Nothing runs in the background here: who decides looks first. */
class ObjectFollowing implements Following {
  readonly #options: FollowingOptions
  readonly #time: ServerTime
  #id: string | undefined
  #position = 0
  #heard: number | undefined
  #answers: (readonly [question: number, answer: string])[] = []
  /** When the last look began that has shown all. */
  #lookedAt: number | undefined
  /** Whether the log tells it of news, so that it need not look. */
  #isTold = false
  #failingSince: number | undefined

  constructor(options: FollowingOptions) {
    this.#options = options
    this.#time = new ServerTime(options.clock)
    this.#id = options.object?.id
  }

  get currentAt(): number | undefined {
    return this.#isTold ? (this.#failingSince ?? this.#options.clock.now()) : this.#lookedAt
  }

  get time() {
    return this.#time.now
  }

  async look(): Promise<void> {
    const { follower, object, clock, followings } = this.#options
    followings.add(this)
    const isSubscribed = object?.binding !== undefined
    try {
      let began: number
      // Once more behind what was new, so that it is known to have come.
      do began = clock.now()
      while (await this.#lookOnce())
      this.#lookedAt = Math.max(began, this.#lookedAt ?? began)
      // Unless it has left meanwhile.
      this.#isTold = isSubscribed && object.binding !== undefined
      this.#failingSince = undefined
    } catch {
      this.#failingSince ??= clock.now()
    }
    follower.onLook?.()
  }

  /** Whether there was something new. */
  async #lookOnce(): Promise<boolean> {
    const { follower, object, clock, log } = this.#options
    const sent = clock.now()
    const answers = this.#answers
    const [position, heardSoFar] = [this.#position, this.#heard]
    const look: Look = { follower: this.#name, binding: object?.binding, position, heard: heardSoFar, answers }
    const { entries, questions, heard, now } = await log((stub) => stub.look(look))
    this.#time.told(now, sent, clock.now())
    this.#answers = this.#answers.filter((answer) => !answers.includes(answer))
    for (const [n, entry] of entries) {
      // Another look may have been faster.
      if (n <= this.#position) continue
      this.#position = n
      follower.onEntry(entry)
    }
    for (const [n, question] of questions) {
      if (n <= (this.#heard ?? 0)) continue
      const answer = follower.onQuestion?.(question)
      if (answer !== undefined) this.#answers = [...this.#answers, [n, answer]]
    }
    this.#heard = Math.max(heard, this.#heard ?? 0)
    return entries.length > 0 || questions.length > 0
  }

  ask(question: string, most: number): Promise<readonly string[]> {
    const { log, patience } = this.#options
    return log((stub) => stub.ask(this.#name, question, most), patience)
  }

  async stop(): Promise<void> {
    this.#options.followings.delete(this)
    this.#isTold = false
    await this.#options.log((stub) => stub.leave(this.#name)).catch(() => {})
  }

  /** Not made before it is asked for: a Worker may have no randomness before its first request. */
  get #name(): string {
    this.#id ??= newId(randomBytes)
    return this.#id
  }
}
