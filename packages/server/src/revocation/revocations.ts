import { ExpiringMap } from '../support/expiring-map.js'
import type { Vouched } from '../verifiers/verifier.js'
import type { IssuerSession, SubjectTarget, Target } from './target.js'

/** A revocation as nodes share it. */
export interface Revocation {
  readonly target: Target
  /** When it was made, in milliseconds since the epoch by the store's clock. */
  readonly at: number
  /** Why, in the words of whoever revoked: for events and logs. */
  readonly reason?: string
}

/** What a revocation may mean: what somebody holds, and the place that a connection to come has taken. */
export interface Holder extends Vouched {
  readonly lease?: string
}

/** Whether a revocation means what was issued to `holder`. */
export function revokes({ target, at }: Revocation, holder: Holder): boolean {
  if (target === 'all') return issuedBy(at, holder)
  if ('subject' in target) return isSubject(target, at, holder)
  if (target.session !== undefined) return isSession(target, holder)
  if (target.token !== undefined) return target.token === holder.token
  if (target.connection !== undefined) return target.connection === holder.lease
  if (target.user === undefined) return issuedBy(target.issuedBefore, holder)
  const { id, issuer, tenant } = holder.identity
  return (
    target.user === id &&
    (target.issuer === undefined || target.issuer === issuer) &&
    (target.tenant === undefined || target.tenant === tenant) &&
    issuedBy(target.issuedBefore ?? at, holder)
  )
}

/** A session means something within its issuer only: that of another is another, whatever it is called. */
function isSession({ session, issuer }: IssuerSession, holder: Holder): boolean {
  const { identity, subject = identity } = holder
  if (session !== holder.session) return false
  return issuer === undefined || subject.issuer === undefined || issuer === subject.issuer
}

function isSubject({ subject, issuer, issuedBefore, sessionless }: SubjectTarget, at: number, holder: Holder): boolean {
  const { identity, subject: named = identity, session, token, issuedAt, vouchedAt } = holder
  if (named.id !== subject || named.issuer !== issuer) return false
  if (sessionless && session !== undefined && session !== token) return false
  // Of two times, one clock has written both: the issuer's, or the store's.
  return issuedAt === undefined ? vouchedAt <= at : issuedAt <= issuedBefore
}

/** When what somebody holds was issued: the clock that wrote it may be ahead, but it was there when it was vouched for. */
const issueTime = ({ issuedAt, vouchedAt }: Vouched): number => Math.min(issuedAt ?? vouchedAt, vouchedAt)

/** The same second counts as before: `iat` has whole seconds. A time that is none is before any. */
const issuedBy = (time: number, holder: Holder): boolean => !(issueTime(holder) > time)

/** The revocations still in force, asked at every decision. */
export class Revocations {
  readonly #now: () => number
  readonly #memory: number
  readonly #connectionMemory: number
  readonly #byKey: ExpiringMap<string, Revocation[]>

  /**
   * `memory`: how long a revocation is kept, in milliseconds: as long as what it denies could live. `connectionMemory`: the
   * same for one that names a connection: as long as a node may hold that and not have heard of it.
   */
  constructor(now: () => number, memory: number, connectionMemory: number) {
    this.#now = now
    this.#memory = memory
    this.#connectionMemory = connectionMemory
    this.#byKey = new ExpiringMap(now)
  }

  /** Takes a revocation. `false`: it says nothing that is not known, or what it denies is over. */
  add(revocation: Revocation): boolean {
    const key = keyOf(revocation.target)
    const sameKey = this.#byKey.get(key) ?? []
    if (this.endOf(revocation) <= this.#now() || sameKey.some((old) => covers(old, revocation))) return false
    const kept = [...sameKey.filter((old) => !covers(revocation, old)), revocation]
    this.#byKey.set(key, kept, Math.max(...kept.map((each) => this.endOf(each))))
    return true
  }

  /** The revocation that means what was issued to `holder`, or one of them. */
  find(holder: Holder): Revocation | undefined {
    if (this.#byKey.size === 0) return undefined
    for (const key of keysOf(holder)) {
      const found = this.#byKey.get(key)?.find((revocation) => revokes(revocation, holder))
      if (found) return found
    }
    return undefined
  }

  /** When what a revocation denies has ended, in milliseconds since the epoch. */
  endOf(revocation: Revocation): number {
    const { target } = revocation
    const namesConnection = target !== 'all' && 'connection' in target && target.connection !== undefined
    return lastIssued(revocation) + (namesConnection ? this.#connectionMemory : this.#memory)
  }

  *[Symbol.iterator](): IterableIterator<Revocation> {
    for (const [, revocations] of this.#byKey) yield* revocations
  }
}

/** Until when what a revocation denies was issued. */
const issuedUntil = ({ target, at }: Revocation): number => (target === 'all' ? at : (target.issuedBefore ?? at))

/** When the last credential that a revocation means may be issued: the time that it names may be still to come. */
const lastIssued = (revocation: Revocation): number => Math.max(revocation.at, issuedUntil(revocation))

/** Whether `newer` denies all that `older` does, and as long: then one of them is enough. */
const covers = (newer: Revocation, older: Revocation): boolean =>
  newer.at >= older.at && issuedUntil(newer) >= issuedUntil(older) && nameOf(newer) === nameOf(older)

/** Whom or what a revocation names, whatever the time. */
const nameOf = ({ target }: Revocation): string =>
  JSON.stringify(target === 'all' ? target : { ...target, issuedBefore: undefined })

/** The key of revocations that name nobody. */
export const everybody = 'everybody'

/** The key under which a revocation of `target` is found. */
export function keyOf(target: Target): string {
  if (target === 'all') return everybody
  if ('subject' in target) return `subject:${target.subject}`
  if (target.user !== undefined) return `user:${target.user}`
  if (target.session !== undefined) return `session:${target.session}`
  if (target.token !== undefined) return `token:${target.token}`
  return target.connection === undefined ? everybody : `connection:${target.connection}`
}

/** The keys of all revocations that may mean what was issued to `holder`. */
export function keysOf({ identity, subject = identity, session, token, lease }: Holder): string[] {
  const keys = [everybody, keyOf({ user: identity.id }), `subject:${subject.id}`]
  if (session !== undefined) keys.push(keyOf({ session }))
  if (token !== undefined) keys.push(keyOf({ token }))
  if (lease !== undefined) keys.push(keyOf({ connection: lease }))
  return keys
}
