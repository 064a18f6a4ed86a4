import { type Identity, rejected, type Verified, type Verifier } from '@sallyport/server'

/** What a credential of these tests says, in so many words. */
export type Claims = Partial<Omit<Verified, 'identity'>> & {
  readonly id?: string
  readonly issuer?: string
  readonly tenant?: string
  readonly role?: string
}

/** A credential that is good, and says what it is told: the user `ada` and nothing else by default. */
export const credentialOf = (claims: Claims = {}): string =>
  `good-${Buffer.from(JSON.stringify(claims)).toString('base64url')}`

/** Believes every word of {@link credentialOf}; everything else is unknown. What has no end is looked up. */
export const verifyClaims: Verifier<Identity & { readonly role?: string }> = (credential, { now }) => {
  if (!credential.startsWith('good-')) return rejected('credential-unknown')
  const {
    id = 'ada',
    issuer,
    tenant,
    role,
    ...rest
  } = JSON.parse(Buffer.from(credential.slice(5), 'base64url').toString()) as Claims
  const identity = { id, ...(issuer && { issuer }), ...(tenant && { tenant }), ...(role && { role }) }
  return { ...(rest.expiresAt === undefined && { lookedUpAt: now }), ...rest, identity }
}

/** What a token of now says, which lives an hour. */
export const fresh = (claims: Claims = {}): Claims => {
  const now = Date.now()
  return { issuedAt: now, expiresAt: now + 3_600_000, session: 's1', token: 't1', ...claims }
}
