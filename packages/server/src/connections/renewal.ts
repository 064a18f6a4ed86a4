import type { Identity } from '../identity.js'
import type { Accept } from '../verdict.js'
import { checkedAnswer } from '../verifiers/answer.js'
import { isRejected, type Vouched } from '../verifiers/verifier.js'
import type { LiveConnection } from './live-connection.js'

/** How many questions to the other nodes an identity may have: one lasts a second when nobody has an answer. */
export const questionsAtOnce = 20

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
}

/** The connections that a renewal means: the one of that id, or all of the session. */
export interface Named {
  readonly connection?: string | undefined
  readonly session?: string | undefined
}

/** The live connections of a node. */
export interface Renewable<I extends Identity> {
  isOpen(connection: LiveConnection<I>): boolean
  find(named: Named): LiveConnection<I>[]
  renew(connection: LiveConnection<I>, accept: Accept<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
}

/** When a credential says that it was issued: of two, one clock has written both. */
export const writtenAt = ({ issuedAt, vouchedAt }: Accept): number => issuedAt ?? vouchedAt

/** Renews what this node has of the connections that are meant; `acceptFor` says as what, where that differs. */
function renewHere<I extends Identity>(
  connections: Renewable<I>,
  { accept, connection }: RenewalRequest<I>,
  acceptFor = (_: LiveConnection<I>) => accept,
): Renewal {
  const named = connections.find({ connection, session: accept.session })
  if (named.length === 0) return 'connection-unknown'
  // Over HTTP another identity does not end the connection: its id alone must not be enough to close it. Sessions of two
  // issuers may have the same name.
  const same = named.filter((live) => connections.renew(live, acceptFor(live)))
  if (same.length === 0) return 'identity-changed'
  // A revocation that the other node has not heard of may have ended them.
  const renewed = same.filter((live) => connections.isOpen(live))
  if (renewed.length === 0) return 'connection-unknown'
  return leastOf(renewed.map((live) => connections.expiresIn(live)))
}

/**
 * Renews them wherever they are; `ask` asks the other nodes, unless the one that is named is here. It answers nothing when
 * that has been asked too often.
 */
export async function renewEverywhere<I extends Identity>(
  connections: Renewable<I>,
  request: RenewalRequest<I>,
  ask: (question: string, most: number) => Promise<readonly string[]> | undefined,
): Promise<Renewal> {
  const { accept, connection } = request
  const here = renewHere(connections, request)
  if (connection === undefined ? accept.session === undefined : here !== 'connection-unknown') return here
  const question = JSON.stringify({ renew: { accept: shownOf(accept), connection } })
  const asked = ask(question, connection === undefined ? Number.POSITIVE_INFINITY : 1)
  if (!asked) return 'renewal-limit'
  const answers = await asked
  const all = [here, ...answers.map(readAnswer)]
  const renewed = all.filter((renewal) => typeof renewal === 'object')
  if (renewed.length > 0) return leastOf(renewed.map(({ expiresIn }) => expiresIn))
  return all.includes('identity-changed') ? 'identity-changed' : 'connection-unknown'
}

/** Answers another node that asks for a renewal; `undefined` when nothing of it is here, or it is no such question. */
export function answerRenewal<I extends Identity>(connections: Renewable<I>, question: string): string | undefined {
  const request = readRequest<I>(question)
  const renewal = request && renewHere(connections, request, ({ accept }) => lookedUpAs(accept, request.accept))
  return renewal === undefined || renewal === 'connection-unknown' ? undefined : JSON.stringify({ renewal })
}

/**
 * A newer credential stays on the node that it was shown to: what was looked up again so far is looked up again, be it
 * the same session or another token.
 */
function lookedUpAs<I extends Identity>(held: Accept<I>, newer: Accept<I>): Accept<I> {
  const isSame = held.issuedAt === newer.issuedAt && held.token === newer.token && held.session === newer.session
  return { ...newer, recheck: held.recheck, renewedElsewhere: held.renewedElsewhere === true || !isSame }
}

/** What other nodes are told of a credential that was shown here. */
function shownOf<I extends Identity>(accept: Vouched<I>): Vouched<I> {
  const { identity, subject, expiresAt, issuedAt, vouchedAt, session, token } = accept
  return { identity, subject, expiresAt, issuedAt, vouchedAt, session, token }
}

function leastOf(seconds: readonly (number | undefined)[]): Renewed {
  const expiresIn = Math.min(...seconds.map((each) => each ?? Number.POSITIVE_INFINITY))
  return Number.isFinite(expiresIn) ? { expiresIn } : {}
}

/** A node of another version may ask what this one does not understand: then it has nothing to say. */
function readRequest<I extends Identity>(question: string): RenewalRequest<I> | undefined {
  try {
    const { renew } = JSON.parse(question) as { readonly renew: RenewalRequest<I> }
    const { accept, connection } = renew
    if (isRejected(checkedAnswer(accept)) || !Number.isFinite(accept.vouchedAt)) return undefined
    if (connection !== undefined && typeof connection !== 'string') return undefined
    return { accept: { type: 'accept', method: 'header', ...shownOf(accept) }, connection }
  } catch {
    return undefined
  }
}

function readAnswer(answer: string): Renewal {
  try {
    const { renewal } = JSON.parse(answer) as { readonly renewal: Renewal }
    if (renewal === 'identity-changed') return renewal
    if (typeof renewal === 'object' && renewal !== null) return leastOf([renewal.expiresIn])
  } catch {}
  return 'connection-unknown'
}
