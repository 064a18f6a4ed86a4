import { systemClock } from '../../support/clock.js'
import { ConfigurationError, UnavailableError } from '../../support/errors.js'
import { within } from '../../support/within.js'
import { shown } from '../detail.js'
import { checkedUrl } from '../settings.js'
import { askForKeys, fetchedKeys, type Jwks, type JwksOptions } from './fetched-keys.js'

/**
 * The keys of an OpenID provider, found by its name: `issuer` says in its discovery document where they are (OpenID Connect
 * Discovery 1.0 section 4). Fetched and kept like those of `jwks`, the document anew with the keys, both within `timeout`.
 *
 * The document must name exactly this issuer, to the last slash (section 4.3), or else whoever answers could be the
 * issuer of somebody else's tokens. Its `jwks_uri` must be what `jwks` would take. Where it is not so, verification throws
 * `UnavailableError`, because it cannot know.
 *
 * @throws ConfigurationError when `issuer` is no https URL, or has a query or fragment
 */
export function discover(issuer: string, options: JwksOptions = {}): Jwks {
  const { dangerouslyAllowHttp, timeout = 3_000, clock = systemClock } = options
  const { search, hash } = checkedUrl('discover', 'issuer', issuer, dangerouslyAllowHttp)
  if (search !== '' || hash !== '') {
    throw new ConfigurationError(
      'issuer-query',
      'discover: issuer has a query or a fragment; give the iss of the tokens, to the letter',
    )
  }
  const address = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const where = `${address.origin}${address.pathname}`

  /** Where the keys are, as the document says. */
  function endpointOf({ issuer: named, jwks_uri: endpoint }: Record<string, unknown>): URL {
    if (named !== issuer)
      throw new UnavailableError(`${where} is of ${shown(named)}; give that as issuer if it is right`)
    try {
      return checkedUrl(where, 'jwks_uri', typeof endpoint === 'string' ? endpoint : '', dangerouslyAllowHttp)
    } catch (cause) {
      throw new UnavailableError(`${where} names no place for keys`, { cause })
    }
  }

  return fetchedKeys('discover', options, (ask) => {
    const keys = ask(address).then((document) => askForKeys(ask, endpointOf(document)))
    return within(keys, timeout, clock, () => new UnavailableError(`the keys of ${issuer} did not come in time`))
  })
}
