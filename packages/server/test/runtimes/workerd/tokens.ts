import { type Identity, rejected, UnavailableError, type Verifier } from '@sallyport/server'

export interface Person extends Identity {
  readonly about?: string
}

/** `good-ada-60` is ada's for 60 seconds; `good-ada-60-large` says much of her, and `good-j%C3%BCrgen` is jürgen's. */
export const verify: Verifier<Person> = async (token, { now }) => {
  const [kind, id = '', seconds = '3600', extra] = decodeURIComponent(token).split('-')
  if (kind === 'down') throw new UnavailableError('down')
  if (kind === 'bug') throw new Error('bug')
  if (kind === 'slow') await new Promise((resolve) => setTimeout(resolve, 200))
  if (kind !== 'good' && kind !== 'slow') return rejected('credential-unknown')
  return {
    identity: { id, ...(extra === 'large' && { about: 'x'.repeat(20_000) }) },
    issuedAt: now,
    expiresAt: now + Number(seconds) * 1_000,
    session: `s-${id}`,
    token: `t-${id}-${now}`,
  }
}
