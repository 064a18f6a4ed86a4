/**
 * Who somebody is. Verifiers add fields of their own, and their type flows unchanged to the connection handler.
 *
 * Tickets carry it as JSON, so that it must be plain data: no `Date`, no instance of a class.
 */
export interface Identity {
  /** The subject. Unique only within `issuer` and `tenant`. */
  readonly id: string
  /** Who vouches for `id`: the token's `iss` (RFC 7519 section 4.1.1). */
  readonly issuer?: string
  /** The customer that `id` belongs to, where one issuer serves several. */
  readonly tenant?: string
}

/** Whether two identities are the same one: equal as the tuple (issuer, tenant, id), never as a joined string. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.id === b.id && a.issuer === b.issuer && a.tenant === b.tenant
}

/** One key for those that {@link sameIdentity} holds to be the same. */
export const identityKey = ({ issuer, tenant, id }: Identity): string => JSON.stringify([issuer, tenant, id])
