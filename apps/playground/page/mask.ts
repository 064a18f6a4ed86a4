/** A credential as it may be shown: enough to tell a JWT from a ticket, too little to use. */
export function mask(credential: string): string {
  return credential.length < 16 ? '•••' : `${credential.slice(0, 4)}…•••`
}
