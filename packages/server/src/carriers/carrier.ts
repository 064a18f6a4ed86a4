import type { Handshake } from '../handshake/request.js'

/** What a carrier read. Only `absent` lets the guard look further. */
export type Reading =
  | { readonly type: 'absent' }
  | { readonly type: 'found'; readonly credential: string }
  | { readonly type: 'malformed' }

/** How a credential travels: reads it out of a handshake. Never throws, never verifies. */
export type Carrier = (handshake: Handshake) => Reading

/** No credential here. */
export const absent: Reading = { type: 'absent' }

/** Something is here that its grammar does not allow. */
export const malformed: Reading = { type: 'malformed' }

/** A credential, not yet verified. */
export const found = (credential: string): Reading => ({ type: 'found', credential })

/**
 * What stands in the place of a bearer credential. Whoever issues credentials decides what they look like, whichever way
 * they travel: all that is printable in ASCII, without spaces, is one.
 */
export const presented = (text: string | undefined): Reading =>
  text !== undefined && /^[\x21-\x7e]+$/.test(text) ? found(text) : malformed
