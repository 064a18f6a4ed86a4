import type { Identity } from '../identity.js'
import { UnavailableError } from '../support/errors.js'
import { tooEarly } from './claims.js'
import { isPlaceholder } from './shape.js'
import { type Known, rejected, type Verified, type Verifier } from './verifier.js'

/** A session that travels whole in its cookie: whose it is, when it was written, and until when it is good. */
export interface SealedSession<I extends Identity> extends Omit<Verified<I>, 'lookedUpAt' | 'firstSeenAt'> {
  readonly issuedAt: number
  readonly expiresAt: number
  /** A name for it by which it can be revoked, the same however the cookie is spelled: seals often have several spellings. */
  readonly session: string
}

/** Undoes a seal. What it throws means a bad one, and so does `null`. */
export type OpenSeal<D> = (value: string) => D | null | undefined | Promise<D | null | undefined>

/** Says whose the content is; `null` or `undefined` when it is nobody's. */
export type ReadSeal<D, I extends Identity> = (
  content: D,
  value: string,
) => SealedSession<I> | null | undefined | Promise<SealedSession<I> | null | undefined>

/** Milliseconds that clocks may differ by. What is written later than that no revocation of now would mean. */
const leeway = 60_000

/**
 * Verifies sessions that a library has sealed or encrypted, and that nobody keeps: the cookie itself is all there is.
 *
 * What `open` throws means a bad seal, unless it is `UnavailableError`; what `read` throws is passed on.
 *
 * Nothing is looked up. So a revocation ends such a session for as long as it is remembered (`life.revocationMemory`), and
 * `life.recheck` has nobody to ask.
 */
export function sealed<D, I extends Identity>(open: OpenSeal<D>, read: ReadSeal<D, I>): Verifier<Known<I>>
export function sealed<D>(open: OpenSeal<D>, read: ReadSeal<D, Identity>): Verifier {
  return async (value, { now }) => {
    if (isPlaceholder(value)) return rejected('credential-placeholder')
    let content: D | null | undefined
    try {
      content = await open(value)
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      return rejected('credential-unreadable')
    }
    const found = content && (await read(content, value))
    if (!found) return rejected('credential-unknown')
    const { identity, subject, issuedAt, expiresAt, session, token } = found
    if (expiresAt <= now) return rejected('credential-expired')
    if (issuedAt > now + leeway) return tooEarly('issuedAt', issuedAt, now, leeway)
    return { identity, subject, issuedAt, expiresAt, session, token }
  }
}
