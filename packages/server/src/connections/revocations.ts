import type { Clock } from '../clock.js'
import type { Identity } from '../identity.js'
import type { Verified } from '../verifiers/verifier.js'

/** What is no longer good. */
export type RevocationTarget =
  /** Everything issued to a user until now. Without `issuer` or `tenant`: the user of that id of any. */
  | { readonly user: string; readonly issuer?: string; readonly tenant?: string }
  /** A session, with all its tokens, tickets and connections. */
  | { readonly session: string }
  /** One token, by its `jti`. */
  | { readonly token: string }
  /** One live connection. */
  | { readonly connection: string }

/** Whether a revocation of `target` at the time `at` means what was issued to `holder`. */
export function revokes(target: RevocationTarget, at: number, holder: Verified<Identity>): boolean {
  if ('session' in target) return target.session === holder.session
  if ('token' in target) return target.token === holder.token
  if ('connection' in target) return false
  const { id, issuer, tenant } = holder.identity
  return (
    target.user === id &&
    (target.issuer === undefined || target.issuer === issuer) &&
    (target.tenant === undefined || target.tenant === tenant) &&
    // The same second counts as before: `iat` has whole seconds.
    (holder.issuedAt ?? Number.NEGATIVE_INFINITY) <= at
  )
}

// No credential that the defaults accept lives longer.
const retention = 24 * 60 * 60 * 1000 + 60_000

/** The revocations still in force, asked at every decision. */
export class Revocations {
  readonly #clock: Clock
  readonly #entries = new Map<string, { target: RevocationTarget; at: number }[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(target: RevocationTarget): void {
    if ('connection' in target) return
    this.#forget()
    const key = keyOf(target)
    // Taken out and put back, so that the oldest key stays the first.
    const entries = this.#entries.get(key) ?? []
    this.#entries.delete(key)
    this.#entries.set(key, [...entries, { target, at: this.#clock.now() }])
  }

  /** Whether what was issued to `holder` is revoked. */
  match(holder: Verified<Identity>): boolean {
    if (this.#entries.size === 0) return false
    return keysOf(holder).some((key) => this.#entries.get(key)?.some(({ target, at }) => revokes(target, at, holder)))
  }

  #forget(): void {
    const horizon = this.#clock.now() - retention
    for (const [key, entries] of this.#entries) {
      if (entries.at(-1)!.at > horizon) return
      this.#entries.delete(key)
    }
  }
}

function keyOf(target: Exclude<RevocationTarget, { connection: string }>): string {
  if ('user' in target) return `user:${target.user}`
  return 'session' in target ? `session:${target.session}` : `token:${target.token}`
}

function keysOf({ identity, session, token }: Verified<Identity>): string[] {
  const keys = [keyOf({ user: identity.id })]
  if (session !== undefined) keys.push(keyOf({ session }))
  if (token !== undefined) keys.push(keyOf({ token }))
  return keys
}
