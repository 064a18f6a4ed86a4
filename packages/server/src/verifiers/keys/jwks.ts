import { checkedUrl } from '../settings.js'
import { askForKeys, fetchedKeys, type Jwks, type JwksOptions } from './fetched-keys.js'

/**
 * The keys that an issuer publishes as a JSON Web Key Set (RFC 7517 section 5) at `url`: https, or http on this machine.
 *
 * One fetch at a time, shared by all who wait. An unknown `kid` causes a fetch; any number of them soon no more than one
 * per `cooldown`. While the server fails the last good keys serve for `maxAge` and `maxStale`; after that, and for
 * unknown keys, verification throws `UnavailableError`, because it cannot know.
 */
export function jwks(url: string | URL, options: JwksOptions = {}): Jwks {
  const endpoint = checkedUrl('jwks', 'url', url, options.dangerouslyAllowHttp)
  return fetchedKeys('jwks', options, (ask) => askForKeys(ask, endpoint))
}
