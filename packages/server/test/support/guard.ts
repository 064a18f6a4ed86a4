import {
  cookie,
  createGuard,
  firstMessage,
  header,
  type Identity,
  query,
  rejected,
  subprotocol,
  ticket,
  type Verifier,
} from '@sallyport/server'

/** Good credentials look like `good-ada`; everything else is unknown. */
export const verifyGood: Verifier<Identity> = (credential, { now }) =>
  credential.startsWith('good-')
    ? {
        identity: { id: credential.slice(5) },
        issuedAt: now,
        expiresAt: now + 60_000,
        session: `s-${credential.slice(5)}`,
      }
    : rejected('credential-unknown')

export const origin = 'https://app.example.com'

/** The options of a guard that accepts all six methods. */
export const allMethods = (verify: Verifier<Identity> = verifyGood) => ({
  origins: [origin],
  // One address stands for many clients here.
  limits: { pendingPerAddress: 1_000, failedAttempts: 1_000_000 },
  protocols: ['app.v1'],
  accept: [
    ticket(),
    query({ verify }),
    header({ verify }),
    cookie({ name: 'session', verify }),
    subprotocol({ verify }),
    firstMessage({ verify }),
  ] as const,
})

/** A guard that accepts all six methods. */
export const guardOfAll = (verify?: Verifier<Identity>) => createGuard(allMethods(verify))

/** A guard that accepts all methods but the first message, so that no credential is a refusal. */
export function guardOfHandshakes(verify?: Verifier<Identity>) {
  const { accept, ...options } = allMethods(verify)
  return createGuard({ ...options, accept: accept.filter(({ name }) => name !== 'message') })
}
