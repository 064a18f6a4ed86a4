import type { Identity } from '../identity.js'
import type { PublicKeyAlgorithm } from './algorithms.js'
import type { Identify, TokenIdentity } from './claims.js'
import { type JwtRules, jwt } from './jwt.js'
import { discover } from './keys/discover.js'
import type { JwksOptions } from './keys/fetched-keys.js'
import type { Recipient } from './parties.js'
import type { Known, Verifier } from './verifier.js'

/** Options of {@link oidc}: those of `jwt`, with one issuer whose name is all that is known of it. */
export type OidcOptions = Omit<JwtRules, 'issuer'> &
  Recipient & {
    /** The issuer's URL, exactly as its tokens have it in `iss`. */
    readonly issuer: string
    readonly algorithms: readonly PublicKeyAlgorithm[]
    /** How its discovery document and its keys are fetched and kept. */
    readonly jwks?: JwksOptions
  }

/**
 * Verifies the access tokens of an OpenID provider by its name alone: `jwt`, with the keys that {@link discover} finds. To
 * share the keys with `logoutToken`, hand what `discover` answers to both.
 *
 * Nothing is fetched before the first token comes. Throws what `jwt` and `discover` throw.
 */
export function oidc<I extends Identity>(options: OidcOptions & { readonly identify: Identify<I> }): Verifier<Known<I>>
export function oidc(options: OidcOptions & { readonly identify?: undefined }): Verifier<TokenIdentity>
export function oidc(options: OidcOptions & { readonly identify?: Identify<Identity> | undefined }): Verifier {
  const { jwks, identify, ...rules } = options
  const verifiable = { ...rules, jwks: discover(options.issuer, jwks) }
  return identify ? jwt({ ...verifiable, identify }) : jwt(verifiable)
}
