/** The `iss` and the `aud` of the tokens: those of the playground. */
export const issuer = 'sallyport-playground'
export const audience = 'sallyport-playground'

/** The name of the session cookie. */
export const sessionCookie = 'session'

/** The live logins, by the hash of their cookie. */
export const sessions = new Map<
  string,
  { readonly user: string; readonly session: string; readonly expiresAt: number }
>()
