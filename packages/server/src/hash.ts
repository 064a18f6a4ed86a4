import { createHash } from 'node:crypto'

/** SHA-256 in base64url: what stores, caches and the registry hold in place of a credential. */
export function hash(credential: string): string {
  return createHash('sha256').update(credential).digest('base64url')
}
