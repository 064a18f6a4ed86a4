import { isName, kindOf } from '../support/kind-of.js'
import { printable } from '../support/printable.js'

/** What a revocation may name. */
export interface RevocationFields {
  readonly user: string
  readonly issuer: string
  readonly tenant: string
  readonly issuedBefore: number
  readonly session: string
  readonly token: string
  readonly connection: string
}

/** What has the field `K`, may have the fields `O`, and has no other. */
export type RevocationOf<K extends keyof RevocationFields, O extends keyof RevocationFields = never> = Pick<
  RevocationFields,
  K
> &
  Partial<Pick<RevocationFields, O>> & { readonly [other in Exclude<keyof RevocationFields, K | O>]?: never }

/** What is no longer good: one thing by its name, which is a string that is not empty, or everything. */
export type RevocationTarget =
  /**
   * What was issued to a user until now, or before `issuedBefore` (milliseconds since the epoch). Without `issuer` or
   * `tenant`: to the user of that id of any.
   */
  | RevocationOf<'user', 'issuer' | 'tenant' | 'issuedBefore'>
  /** A session, with all its tokens, tickets and connections. */
  | RevocationOf<'session'>
  /** One token, by its `jti`. */
  | RevocationOf<'token'>
  /** One live connection. Its credential stays good. */
  | RevocationOf<'connection'>
  /** What was issued to anybody before a time, in milliseconds since the epoch. */
  | RevocationOf<'issuedBefore'>
  /** What was issued to anybody until now. */
  | 'all'

/**
 * What an issuer has issued to whom it calls `subject`, whatever the application calls them; with `sessionless` only what
 * names no session of its own. Back-channel logouts make it. Who does not know it takes it for everybody.
 */
export interface SubjectTarget {
  readonly subject: string
  readonly issuer: string
  /** By the clock of the issuer, in milliseconds since the epoch. */
  readonly issuedBefore: number
  readonly sessionless?: true
}

/** A session as its issuer calls it; of those who do not say whose theirs is, too. Back-channel logouts make it. */
export type IssuerSession = RevocationOf<'session', 'issuer'>

/** What an entry of the log may name. */
export type Target = RevocationTarget | IssuerSession | SubjectTarget

/** What a user's target may have, and what stands alone. */
const ofUser = ['user', 'issuer', 'tenant', 'issuedBefore']
const alone = ['session', 'token', 'connection', 'issuedBefore']
/** The last that a `Date` shows, and a store can keep. */
const lastTime = 8.64e15
const isTime = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= lastTime
const give = "give 'all', or an object with one of user, session, token, connection and issuedBefore"

/**
 * Looks at a target that comes from outside, where types may not have been: what names nobody exactly must not mean
 * everybody. Answers a copy, which stays as it is whatever becomes of the object.
 *
 * @throws TypeError that says what came and what to give
 */
export function checkedTarget(target: RevocationTarget): RevocationTarget {
  if (target === 'all') return target
  if (typeof target !== 'object' || target === null) {
    throw new TypeError(`revoke: the target is ${kindOf(target)}; ${give}`)
  }
  const copy = { ...target }
  const names = Object.keys(copy)
  for (const [name, value] of Object.entries(copy)) {
    if (!ofUser.includes(name) && !alone.includes(name)) {
      throw new TypeError(`revoke: a target has no ${printable(name, 50)}; ${give}`)
    }
    if (name === 'issuedBefore' ? isTime(value) : isName(value)) continue
    const expected = name === 'issuedBefore' ? 'a time in milliseconds since the epoch' : 'a string that is not empty'
    throw new TypeError(`revoke: ${name} is ${kindOf(value)}; give ${expected}`)
  }
  const [first = ''] = names
  const isOne = names.includes('user')
    ? names.every((name) => ofUser.includes(name))
    : names.length === 1 && alone.includes(first)
  if (isOne) return copy
  throw new TypeError(
    `revoke: a target has ${names.join(' and ') || 'nothing'}; ${give}; issuer and tenant beside user`,
  )
}
