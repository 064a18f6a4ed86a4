import { createVerifier } from 'fast-jwt'

/** What people write where their stack has nothing for it: verifies the Bearer token of a request; throws when it is bad. */
export function bearerByHand({ HS256: { secret } }) {
  const verify = createVerifier({ key: secret })
  return (authorization) => verify(String(authorization).replace(/^Bearer /, ''))
}
