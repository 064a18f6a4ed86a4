import type { Identity } from '../../identity.js'

/** Says whose a session of a library is, in the words of that library; `null` or `undefined`: nobody has signed in to it. */
export type IdentifySession<S, I extends Identity> = (
  session: S,
) => I | null | undefined | Promise<I | null | undefined>
