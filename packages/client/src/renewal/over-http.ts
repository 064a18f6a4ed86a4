import { requireFunction, type TokenSource } from '../credentials/credential.js'
import { post, type Question } from '../credentials/post.js'
import type { Renewal } from '../live.js'
import { readUrl } from '../url.js'
import { keepFresh } from './keep-fresh.js'

/** Options of `renewal()` over HTTP. */
export interface RenewalOptions {
  /** The token that the request bears. Without it the request goes with the browser's cookies. */
  readonly token?: TokenSource
  /**
   * Seconds that a credential lives when a connection is opened with it. Nothing on the wire says so; by default the first
   * request goes out as soon as the connection is open, and its answer says it. With it, that request is saved. If it is
   * too much, the connection ends with the credential and the socket reconnects.
   */
  readonly expiresIn?: number
}

/** Renews by a request to the renew endpoint. */
export function overHttp(source: string | URL, { token, expiresIn }: RenewalOptions): Renewal {
  if (token) requireFunction(token)
  // As it is now: a URL object is the application's.
  const address = `${source}`
  return (host) => {
    const endpoint = readUrl(address, host.url.href.replace('ws', 'http'), host.dangerouslyAllowPlaintext)
    return (live) => {
      const freshness = keepFresh(host, live, async (attempt) => {
        const { expiresIn } = await post(endpoint, host.fetch, token, attempt, aGrant)
        freshness.granted(expiresIn)
      })
      const { expiresIn: known } = live.authentication
      if (known === undefined) freshness.expected(expiresIn)
      else freshness.granted(known)
    }
  }
}

/** `{"expiresIn":…}`, in seconds; without the number the credential has no end. */
const aGrant: Question<{ expiresIn: number | undefined }> = {
  status: 200,
  read({ expiresIn }) {
    const isGrant = expiresIn === undefined || (typeof expiresIn === 'number' && expiresIn >= 0)
    return isGrant ? { expiresIn } : undefined
  },
}
