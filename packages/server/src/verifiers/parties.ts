import { ConfigurationError } from '../support/errors.js'
import { shown, unlike } from './detail.js'
import { checkedStrings } from './settings.js'
import { isText } from './shape.js'

/**
 * Whose tokens are good: the only `iss` that is accepted, or several that sign with the same keys, compared as text, to the
 * last slash. Or a function that knows them, for a provider with one issuer for each tenant: it is asked of each token,
 * also of a remembered one, once its signature is found good, and answers `true` for those that may come in.
 *
 * The keys are the same whatever the function answers. So it must not accept an issuer whose keys are not these, and must
 * compare the whole text with tenants that you know: a part of it (`startsWith`) lets in every customer of the provider.
 */
export type Issuer = string | readonly string[] | ((issuer: string) => boolean)

/** Whom a token must be for. Give exactly one of them. */
export type Recipient =
  | {
      /** Who we are: `aud` must be or contain it, or one of them. A token that names no audience is refused. */
      readonly audience: string | readonly string[]
      readonly authorizedParties?: never
    }
  | {
      /**
       * The clients whose tokens we take, for issuers that name no audience of ours: `azp` (Clerk, Keycloak), `client_id`
       * (Amazon Cognito), or both must be one of them. Whom `aud` names is then not looked at.
       */
      readonly authorizedParties: string | readonly string[]
      readonly audience?: never
    }

/** What {@link Issuer} says. */
export type IssuerRule = readonly string[] | ((issuer: string) => boolean)

/** What {@link Recipient} says: one of the values must be named. */
export interface RecipientRule {
  readonly by: 'audience' | 'authorizedParties'
  readonly names: readonly string[]
}

/** Checks the option `issuer`. */
export const checkedIssuer = (owner: string, issuer: Issuer): IssuerRule =>
  typeof issuer === 'function' ? issuer : checkedStrings(owner, 'issuer', issuer)

/** Checks that the options name whom tokens must be for, in one way. */
export function checkedRecipient(owner: string, { audience, authorizedParties }: Recipient): RecipientRule {
  if ((audience === undefined) === (authorizedParties === undefined)) {
    throw new ConfigurationError(
      'audience-required',
      `${owner}: give exactly one of audience and authorizedParties, so that no token for others passes`,
    )
  }
  return audience === undefined
    ? { by: 'authorizedParties', names: checkedStrings(owner, 'authorizedParties', authorizedParties) }
    : { by: 'audience', names: checkedStrings(owner, 'audience', audience) }
}

/** Whether tokens of that issuer are good. */
export const isKnownIssuer = (iss: unknown, issuer: IssuerRule): iss is string =>
  typeof issuer === 'function' ? isText(iss) && issuer(iss) === true : typeof iss === 'string' && issuer.includes(iss)

/** Says of an issuer that it is not known. */
export const unknownIssuer = (iss: unknown, issuer: IssuerRule): string =>
  typeof issuer === 'function' ? `iss is ${shown(iss)}, which issuer does not accept` : unlike('iss', iss, issuer)

/** Says of claims that they name none of the recipients; `undefined` when they do. */
export function wrongRecipient(
  claims: Readonly<Record<string, unknown>>,
  { by, names }: RecipientRule,
): string | undefined {
  const isOurs = (name: unknown) => typeof name === 'string' && names.includes(name)
  const { aud, azp, client_id: client } = claims
  if (by === 'audience') return (Array.isArray(aud) ? aud : [aud]).some(isOurs) ? undefined : unlike('aud', aud, names)
  if (azp !== undefined && !isOurs(azp)) return unlike('azp', azp, names)
  if (client !== undefined && !isOurs(client)) return unlike('client_id', client, names)
  return azp === undefined && client === undefined ? unlike('azp or client_id', undefined, names) : undefined
}
