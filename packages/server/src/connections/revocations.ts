import type { Clock } from '../clock.js'
import type { Identity } from '../identity.js'
import type { Verified } from '../verifiers/verifier.js'

/** What is no longer good. */
export type RevocationTarget =
  /**
   * What was issued to a user until now, or before `issuedBefore` (milliseconds since the epoch). Without `issuer` or
   * `tenant`: to the user of that id of any.
   */
  | { readonly user: string; readonly issuer?: string; readonly tenant?: string; readonly issuedBefore?: number }
  /** A session, with all its tokens, tickets and connections. */
  | { readonly session: string }
  /** One token, by its `jti`. */
  | { readonly token: string }
  /** One live connection. Its credential stays good. */
  | { readonly connection: string }
  /** What was issued to anybody before a time, in milliseconds since the epoch. */
  | { readonly issuedBefore: number }
  /** What was issued to anybody until now. */
  | 'all'

/** A revocation as nodes share it. */
export interface Revocation {
  readonly target: Exclude<RevocationTarget, { connection: string }>
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number
}

/** Whether a revocation means what was issued to `holder`. */
export function revokes({ target, at }: Revocation, holder: Verified<Identity>): boolean {
  if (target === 'all') return issuedBy(at, holder)
  if ('session' in target) return target.session === holder.session
  if ('token' in target) return target.token === holder.token
  if (!('user' in target)) return issuedBy(target.issuedBefore, holder)
  const { id, issuer, tenant } = holder.identity
  return (
    target.user === id &&
    (target.issuer === undefined || target.issuer === issuer) &&
    (target.tenant === undefined || target.tenant === tenant) &&
    issuedBy(target.issuedBefore ?? at, holder)
  )
}

/** The same second counts as before: `iat` has whole seconds. */
const issuedBy = (time: number, { issuedAt = Number.NEGATIVE_INFINITY }: Verified<Identity>): boolean =>
  issuedAt <= time

/** The revocations still in force, asked at every decision. */
export class Revocations {
  readonly #clock: Clock
  readonly #memory: number
  readonly #byKey = new Map<string, Revocation[]>()

  /** `memory`: how long a revocation is kept, in milliseconds: as long as what it denies could live. */
  constructor(clock: Clock, memory: number) {
    this.#clock = clock
    this.#memory = memory
  }

  add(revocation: Revocation): void {
    this.#forget()
    const key = keyOf(revocation.target)
    const sameKey = this.#byKey.get(key) ?? []
    // Taken out and put back, so that the oldest key stays the first.
    this.#byKey.delete(key)
    this.#byKey.set(key, [...sameKey.filter((old) => !covers(revocation, old)), revocation])
  }

  /** Whether what was issued to `holder` is revoked. */
  match(holder: Verified<Identity>): boolean {
    if (this.#byKey.size === 0) return false
    return keysOf(holder).some((key) => this.#byKey.get(key)?.some((revocation) => revokes(revocation, holder)))
  }

  #forget(): void {
    const horizon = this.#clock.now() - this.#memory
    for (const [key, revocations] of this.#byKey) {
      if (revocations.some((revocation) => lastIssued(revocation) > horizon)) return
      this.#byKey.delete(key)
    }
  }
}

/** When the last credential that a revocation means may be issued: the time that it names may be still to come. */
const lastIssued = ({ target, at }: Revocation): number =>
  typeof target === 'object' && 'issuedBefore' in target ? Math.max(at, target.issuedBefore ?? at) : at

/** Whether `newer` says again what `older` says: then one of them is enough. */
const covers = (newer: Revocation, older: Revocation): boolean =>
  newer.at >= older.at && JSON.stringify(newer.target) === JSON.stringify(older.target)

const everybody = 'everybody'

function keyOf(target: Revocation['target']): string {
  if (target === 'all') return everybody
  if ('user' in target) return `user:${target.user}`
  if ('session' in target) return `session:${target.session}`
  return 'token' in target ? `token:${target.token}` : everybody
}

function keysOf({ identity, session, token }: Verified<Identity>): string[] {
  const keys = [everybody, keyOf({ user: identity.id })]
  if (session !== undefined) keys.push(keyOf({ session }))
  if (token !== undefined) keys.push(keyOf({ token }))
  return keys
}
