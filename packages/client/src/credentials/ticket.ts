import { readUrl } from '../url.js'
import { ask, type Credential, isCredential, requireFunction, type TokenSource } from './credential.js'
import { post, type Question } from './post.js'

/** Options of {@link ticket}. */
export interface TicketOptions {
  /** The token that the request for a ticket bears. Without it the request goes with the browser's cookies. */
  readonly token?: TokenSource
  /** The name of the query parameter, where the server calls it otherwise. Default `ticket`. */
  readonly parameter?: string
}

/**
 * Presents a one-time ticket as `?ticket=…`: the default for browsers. A new one is fetched for every attempt.
 *
 * `source` is the ticket endpoint, answering a POST with 201 `{"ticket":"…"}`; a relative URL is resolved against the
 * socket's own, as `https:`. Or a function that fetches a ticket in some other way.
 *
 * Nothing in the answer but the ticket is used. 401 is tried once more, 403 and 409 stop, 429 and 503 wait for
 * `Retry-After` or back off, as the table of codes says. What is no such endpoint stops the socket as `misconfigured`: a
 * 404, a redirect, which is not followed, a page.
 */
export function ticket(
  source: string | URL | TokenSource,
  { token, parameter = 'ticket' }: TicketOptions = {},
): Credential {
  if (typeof source === 'function') return () => async (attempt) => ({ query: [parameter, await ask(source, attempt)] })
  if (token) requireFunction(token)
  // As it is now: a URL object is the application's.
  const address = `${source}`
  return (target) => {
    const endpoint = readUrl(address, target.url.href.replace('ws', 'http'), target.dangerouslyAllowPlaintext)
    return async (attempt) => ({ query: [parameter, await post(endpoint, target.fetch, token, attempt, aTicket)] })
  }
}

const aTicket: Question<string> = {
  status: 201,
  read: ({ ticket }) => (isCredential(ticket) ? ticket : undefined),
}
