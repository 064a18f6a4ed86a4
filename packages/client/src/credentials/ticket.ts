import { readRetryAfter } from '../retry-after.js'
import { requireSecure } from '../url.js'
import { ask, type Credential, CredentialError, isCredential, requireFunction, type TokenSource } from './credential.js'
import { post } from './post.js'

/** Options of {@link ticket}. */
export interface TicketOptions {
  /** The token that the request for a ticket bears. Without it the request goes with the browser's cookies. */
  readonly token?: TokenSource
}

/**
 * Presents a one-time ticket as `?ticket=…`: the default for browsers. A new one is fetched for every attempt.
 *
 * `source` is the ticket endpoint, answering a POST with 201 `{"ticket":"…"}`; a relative URL is resolved against the
 * socket's own, as `https:`. Or a function that fetches a ticket in some other way.
 *
 * Redirects are refused, and nothing in the answer but the ticket is used. 401 is tried once more, 403 and 409 stop, 429
 * and 503 wait for `Retry-After` or back off, as the table of codes says.
 */
export function ticket(source: string | URL | TokenSource, { token }: TicketOptions = {}): Credential {
  if (typeof source === 'function') return () => async (attempt) => ({ query: ['ticket', await ask(source, attempt)] })
  if (token) requireFunction(token)
  return ({ url, dangerouslyAllowPlaintext, fetch }) => {
    const endpoint = new URL(source, url.href.replace('ws', 'http'))
    requireSecure(endpoint, dangerouslyAllowPlaintext)
    return async (attempt) => ({ query: ['ticket', await readTicket(await post(endpoint, fetch, token, attempt))] })
  }
}

async function readTicket(response: Response): Promise<string> {
  const { status, headers } = response
  const body: { ticket?: unknown } | null = status === 201 ? await response.json().catch(() => null) : null
  if (isCredential(body?.ticket)) return body.ticket
  const retryAfter = readRetryAfter(headers.get('retry-after'))
  throw new CredentialError(`No ticket from the endpoint: ${status}`, { status, retryAfter })
}
