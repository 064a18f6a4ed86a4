import { type Attempt, ask, CredentialError, type Target, type TokenSource } from './credential.js'

/**
 * Posts with the token of `token`, or without one with the browser's cookies. Throws a {@link CredentialError} when there
 * is no answer.
 */
export async function post(
  endpoint: URL,
  fetch: Target['fetch'],
  token: TokenSource | undefined,
  attempt: Attempt,
): Promise<Response> {
  const headers = token && { authorization: `Bearer ${await ask(token, attempt)}` }
  return fetch(endpoint, {
    method: 'POST',
    credentials: headers ? 'omit' : 'include',
    ...(headers && { headers }),
    // A redirect would carry the Authorization header to wherever it points.
    redirect: 'error',
    signal: attempt.signal,
  }).catch((cause) => {
    throw new CredentialError('No answer from the endpoint', { cause })
  })
}
