import { type Clock, UnavailableError } from '@sallyport/server'
import type { Redis } from 'ioredis'

/** A login. */
export interface Session {
  /** The `sid` of its tokens: names the session, opens nothing. */
  readonly id: string
  readonly user: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Where sessions are kept, each under a key until it expires. */
export interface SessionStore {
  get(key: string): Promise<Session | undefined>
  set(key: string, session: Session): Promise<void>
  delete(key: string): Promise<void>
  deleteAll(user: string): Promise<void>
}

/** The sessions of this process. */
export function memorySessions(clock: Clock): SessionStore {
  const byKey = new Map<string, Session>()
  const deleteIf = (isOver: (session: Session) => boolean) => {
    for (const [key, session] of byKey) if (isOver(session)) byKey.delete(key)
  }
  return {
    async get(key) {
      const session = byKey.get(key)
      return session && session.expiresAt > clock.now() ? session : undefined
    },
    async set(key, session) {
      deleteIf(({ expiresAt }) => expiresAt <= clock.now())
      byKey.set(key, session)
    },
    async delete(key) {
      byKey.delete(key)
    },
    async deleteAll(user) {
      deleteIf((session) => session.user === user)
    },
  }
}

const keyOf = (key: string) => `playground:session:${key}`
const ofUser = (user: string) => `playground:sessions-of:${user}`

/** The sessions of all nodes. What it cannot ask is unavailable: that says nothing of a session. */
export function redisSessions(client: Redis): SessionStore {
  return {
    get: (key) =>
      inReach(async () => {
        const text = await client.get(keyOf(key))
        return text === null ? undefined : (JSON.parse(text) as Session)
      }),
    set: (key, session) =>
      inReach(async () => {
        const { user, expiresAt } = session
        await client.sadd(ofUser(user), key)
        await client.pexpireat(ofUser(user), expiresAt, 'NX')
        await client.pexpireat(ofUser(user), expiresAt, 'GT')
        await client.set(keyOf(key), JSON.stringify(session), 'PXAT', expiresAt)
      }),
    delete: (key) =>
      inReach(async () => {
        await client.del(keyOf(key))
      }),
    deleteAll: (user) =>
      inReach(async () => {
        const keys = await client.smembers(ofUser(user))
        await client.del(ofUser(user), ...keys.map(keyOf))
      }),
  }
}

async function inReach<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch {
    throw new UnavailableError('the sessions are out of reach')
  }
}
