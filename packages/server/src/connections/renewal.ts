import type { Identity } from '../identity.js'
import { findUnplain } from '../support/plain.js'
import type { Accept } from '../verdict.js'
import { checkedAnswer } from '../verifiers/answer.js'
import { isRejected, type Vouched } from '../verifiers/verifier.js'

/** What a renewal over HTTP answers. */
export interface Renewed {
  /** Seconds the connections may live on; absent when the credential has no end. */
  readonly expiresIn?: number
}

/** What becomes of a renewal: the reasons are those of a refusal. */
export type Renewal = Renewed | 'connection-unknown' | 'identity-changed' | 'renewal-limit'

/** What it is about: a newer credential, for one connection, or for all of its session. */
export interface RenewalRequest<I extends Identity> {
  readonly accept: Accept<I>
  readonly connection?: string | undefined
  /** Whether the identity is no plain data: another node would get something else, and must not take it. */
  readonly isUnplain?: boolean
}

/** The shortest of what they say. */
export function leastOf(seconds: readonly (number | undefined)[]): Renewed {
  const expiresIn = Math.min(...seconds.map((each) => each ?? Number.POSITIVE_INFINITY))
  return Number.isFinite(expiresIn) ? { expiresIn } : {}
}

/** Asks other nodes for a renewal. */
export function writeQuestion<I extends Identity>({ accept, connection }: RenewalRequest<I>): string {
  const isUnplain = unplainOf(accept) !== undefined
  const { id, issuer, tenant } = accept.identity
  const shown = { ...shownOf(accept), ...(isUnplain && { identity: { id, issuer, tenant } }) }
  return JSON.stringify({ renew: { accept: shown, connection, isUnplain } })
}

/** What other nodes are told of a credential that was shown here. */
function shownOf<I extends Identity>(accept: Vouched<I>): Vouched<I> {
  const { identity, subject, expiresAt, issuedAt, vouchedAt, session, token } = accept
  return { identity, subject, expiresAt, issuedAt, vouchedAt, session, token }
}

/** What of an identity would come to another node as something else, in words; `undefined` when nothing would. */
export const unplainOf = ({ identity }: Vouched<Identity>): string | undefined => findUnplain(identity, 'identity')

/** A node of another version may ask what this one does not understand: then it has nothing to say. */
export function readQuestion<I extends Identity>(question: string): RenewalRequest<I> | undefined {
  try {
    const { renew } = JSON.parse(question) as { readonly renew: RenewalRequest<I> }
    const { accept, connection, isUnplain = false } = renew
    if (isRejected(checkedAnswer(accept)) || !Number.isFinite(accept.vouchedAt)) return undefined
    if (connection !== undefined && typeof connection !== 'string') return undefined
    return { accept: { type: 'accept', method: 'header', ...shownOf(accept) }, connection, isUnplain }
  } catch {
    return undefined
  }
}

/** What a node answers another: `identity-unplain` where it has what is meant, and cannot take the identity. */
export type RenewalAnswer = Renewal | 'identity-unplain'

/** Answers another node. */
export const writeAnswer = (renewal: RenewalAnswer): string => JSON.stringify({ renewal })

/** What another node has answered. */
export function readAnswer(answer: string): RenewalAnswer {
  try {
    const { renewal } = JSON.parse(answer) as { readonly renewal: RenewalAnswer }
    if (renewal === 'identity-changed' || renewal === 'identity-unplain') return renewal
    if (typeof renewal === 'object' && renewal !== null) return leastOf([renewal.expiresIn])
  } catch {}
  return 'connection-unknown'
}
