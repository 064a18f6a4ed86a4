import type { Revocation } from './revocations.js'
import type { Target } from './target.js'

/** A revocation as an entry of the log: the same text whoever writes it, so that the log shows what it has. */
export const encodeRevocation = ({ target, at, reason }: Revocation): string =>
  JSON.stringify({ target: target === 'all' ? target : readTarget(target), at, reason })

/**
 * Reads an entry of the log, which a newer or older node may have written. What it does not know it reads as the broader
 * revocation, never as none: a user whose `issuedBefore` is no number until the entry was made; a kind of target that it
 * has never heard of as everybody. `now` stands in for a time that is not there.
 */
export function decodeRevocation(entry: string, now: number): Revocation {
  const { target, at, reason } = fieldsOf(entry)
  return {
    target: readTarget(target),
    at: typeof at === 'number' ? at : now,
    ...(typeof reason === 'string' && { reason }),
  }
}

function readTarget(target: unknown): Target {
  const { user, issuer, tenant, issuedBefore, session, token, connection, subject, sessionless } = fieldsOfValue(target)
  const ofIssuer = typeof issuer === 'string' && { issuer }
  const time = typeof issuedBefore === 'number' && { issuedBefore }
  if (typeof user === 'string') {
    return {
      user,
      ...ofIssuer,
      ...(typeof tenant === 'string' && { tenant }),
      ...time,
    }
  }
  if (typeof session === 'string') return { session, ...ofIssuer }
  if (typeof token === 'string') return { token }
  if (typeof connection === 'string') return { connection }
  if (typeof subject === 'string' && ofIssuer && time) {
    return { subject, ...ofIssuer, ...time, ...(sessionless === true && { sessionless }) }
  }
  return time || 'all'
}

function fieldsOf(entry: string): Record<string, unknown> {
  try {
    return fieldsOfValue(JSON.parse(entry))
  } catch {
    return {}
  }
}

const fieldsOfValue = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
