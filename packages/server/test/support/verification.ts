import type { Identity, Verified, Verifier, VerifyContext } from '@sallyport/server'
import type { TokenIdentity } from '@sallyport/server/jwt'
import { expect } from 'vitest'
import { now as usualNow } from './tokens.js'

/** What a verifier gets to see beside the credential, at the time `now`. */
export const contextAt = (now = usualNow): VerifyContext => ({
  handshake: { method: 'GET', target: '/ws', headers: [], address: '127.0.0.1' },
  now,
  signal: new AbortController().signal,
})

/** Asserts that the credential is good, and returns what it says. */
export async function accepted<I extends Identity>(
  verify: Verifier<I>,
  credential: string,
  now?: number,
): Promise<Verified<I>> {
  const verification = await verify(credential, contextAt(now))
  if ('rejected' in verification) expect.fail(`rejected: ${verification.rejected}`)
  return verification
}

/** Asserts that the credential is rejected, for `reason`. */
export async function refused(verify: Verifier, credential: string, reason: string, now?: number): Promise<void> {
  expect(await verify(credential, contextAt(now))).toHaveProperty('rejected', reason)
}

const told = new WeakSet<object>()

/** Asserts that the token is good. Whether the verifier remembered it: the claims are then the very object of last time. */
export async function isRemembered(verify: Verifier<TokenIdentity>, token: string, now?: number): Promise<boolean> {
  const { claims } = (await accepted(verify, token, now)).identity
  const isKnown = told.has(claims)
  told.add(claims)
  return isKnown
}
