import { readRetryAfter } from '../retry-after.js'
import { type Attempt, ask, CredentialError, type Target, type TokenSource } from './credential.js'

/** What an endpoint is asked for. */
export interface Question<T> {
  /** The status of the answer. */
  readonly status: number
  /** Reads the JSON of the answer; `undefined` when it is another one. */
  read(body: Record<string, unknown>): T | undefined
}

/**
 * Posts with the token of `token`, or without one with the browser's cookies. Throws a {@link CredentialError}: without a
 * status when there is no answer, and with it when it is not what was asked for.
 */
export async function post<T>(
  endpoint: URL,
  fetch: Target['fetch'],
  token: TokenSource | undefined,
  attempt: Attempt,
  wanted: Question<T>,
): Promise<T> {
  const response = await fetch(endpoint, {
    method: 'POST',
    credentials: token ? 'omit' : 'include',
    headers: token ? { authorization: `Bearer ${await ask(token, attempt)}` } : {},
    // Followed, a redirect would carry the Authorization header to wherever it points.
    redirect: 'manual',
    signal: attempt.signal,
  }).catch(lost)
  // A browser shows any redirect as 0.
  const status = response.status || 302
  const body = status === wanted.status && (await response.json().catch(unlessNoJson))
  const found = body && wanted.read(body)
  if (found) return found
  throw new CredentialError(`${endpoint.pathname} answered ${status}`, {
    status,
    retryAfter: readRetryAfter(response.headers.get('retry-after')),
  })
}

function lost(cause: unknown): never {
  throw new CredentialError('No answer', { cause })
}

function unlessNoJson(error: Error): void {
  if (error.name !== 'SyntaxError') lost(error)
}
