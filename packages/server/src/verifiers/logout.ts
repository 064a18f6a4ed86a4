import type { Rejected } from './verifier.js'

/** Whose sessions have ended, as their issuer says. */
export interface Logout {
  /** Who says so: the `iss` of the logout token. */
  readonly issuer: string
  /** The session that ended. */
  readonly session?: string
  /** The user, as the issuer calls them: where `session` is not present, all of their sessions ended. One of both is. */
  readonly user?: string
  /** When, in milliseconds since the epoch. */
  readonly at: number
}

/** Reads a logout token, `now` being in milliseconds since the epoch. Throws `UnavailableError` when it cannot know. */
export type LogoutVerifier = (token: string, now: number) => Promise<Logout | Rejected>
